import { describe, expect, test } from 'vitest';
import { bedrockChat } from '../../../../src/models/vendor-formats/bedrock/chat.ts';
import type { ChatBody } from '../../../../src/types/chat.ts';
import { targetOf } from '../../target.ts';
import { thrownBy } from '../decode-and-emit.ts';
import type { Data } from './samples.ts';

interface Sent extends Data {
  readonly messages: { role: string; content: Data[] }[];
  readonly warnings: string[];
}

const claude = 'eu.anthropic.claude-sonnet-4-6-v1:0';
const budgeted = 'anthropic.claude-haiku-4-5-20251001-v1:0';
const nova = 'amazon.nova-lite-v1:0';
const hi = { role: 'user', content: 'hi' };

function encode(model: string, body: Data): Sent {
  const target = targetOf({ model });
  const whole = { model: 'public', messages: [hi], ...body } as ChatBody;
  return { ...(JSON.parse(bedrockChat.encodeRequest({ body: whole }, target).toString()) as Sent), warnings: target.warnings };
}
const encodeMessages = (...messages: readonly Data[]): Sent => encode(claude, { messages });
const call = (id: string, name: string, text = '{}'): Data => ({ id, type: 'function', function: { name, arguments: text } });
const tool = (name: string, more: Data = {}): Data => ({ type: 'function', function: { name, description: 'd', ...more } });
const spec = (name: string): Data => ({ toolSpec: { name, description: 'd', inputSchema: { json: { type: 'object' } } } });

describe('a request to Bedrock', () => {
  test('has only requested fields', () => {
    expect(encode(nova, { stream: true })).toEqual({ messages: [{ role: 'user', content: [{ text: 'hi' }] }], warnings: [] });
  });

  test('maps fields, and passes those of Converse and of the model', () => {
    const guardrailConfig = { guardrailIdentifier: 'g', guardrailVersion: '1' };
    expect(
      encode(nova, {
        max_tokens: 9,
        temperature: 0.5,
        top_p: 0.4,
        stop: ['END'],
        top_k: 3,
        guardrailConfig,
        min_p: 0.1,
        additionalModelRequestFields: { more: true },
      }),
    ).toEqual({
      messages: [{ role: 'user', content: [{ text: 'hi' }] }],
      inferenceConfig: { maxTokens: 9, temperature: 0.5, topP: 0.4, stopSequences: ['END'] },
      guardrailConfig,
      additionalModelRequestFields: { top_k: 3, min_p: 0.1, more: true },
      warnings: [],
    });
  });

  test.each([
    ['seed', 7, 'seed left out: vendor has none'],
    ['user', 'u', 'user left out: vendor has none'],
    ['logit_bias', { 5: 1 }, 'logit_bias left out: vendor has none'],
    ['temperature', 2, 'temperature changed to 1: vendor takes 0 to 1'],
  ])('omits the optional field %s, or changes it, and reports it', (field, value, warning) => {
    expect(encode(nova, { [field]: value }).warnings).toEqual([warning]);
  });

  test.each([
    ['n', 2],
    ['logprobs', true],
    ['response_format', { type: 'json_object' }],
  ])('refuses %s %j, naming the field and the vendor', (field, value) => {
    const error = thrownBy(() => encode(nova, { [field]: value }));
    expect(error).toMatchObject({ code: 'unsupported_parameter', param: field });
    expect((error as Error).message).toContain('vendor');
  });

  test('requests a stream of frames or JSON', () => {
    const request = { body: { model: 'm', messages: [] } };
    expect(bedrockChat.headers?.(targetOf({ stream: true }), request)).toEqual({ accept: 'application/vnd.amazon.eventstream' });
    expect(bedrockChat.headers?.(targetOf(), request)).toEqual({ accept: 'application/json' });
  });

  test('enforces a schema on the answer', () => {
    const schema = { type: 'object', properties: { x: { type: 'integer', minimum: 1 } } };
    const response_format = { type: 'json_schema', json_schema: { name: 'n', schema } };
    const format = (written: object): Data => ({
      textFormat: { type: 'json_schema', structure: { jsonSchema: { schema: JSON.stringify(written), name: 'n' } } },
    });
    const sent = encode(claude, { response_format });
    const closed = { type: 'object', properties: { x: { type: 'integer', description: '(minimum: 1)' } }, additionalProperties: false };
    expect(sent['outputConfig']).toEqual(format(closed));
    expect(sent.warnings).toEqual(['minimum in response_format sent in the prompt only: vendor does not enforce it']);
    expect(encode('qwen.qwen3-32b-v1:0', { response_format })['outputConfig']).toEqual(format(schema));
    expect(thrownBy(() => encode('anthropic.claude-3-haiku-20240307-v1:0', { response_format }))).toMatchObject({
      param: 'response_format',
    });
  });
});

describe('messages to Bedrock', () => {
  test('alternate, with instructions before them and all results in one turn', () => {
    const sent = encodeMessages(
      { role: 'system', content: 'One.' },
      hi,
      { role: 'assistant', content: 'I look.', tool_calls: [call('a', 'f', '{"x":1}'), call('b:1', 'g')] },
      { role: 'tool', tool_call_id: 'a', content: 'one' },
      { role: 'tool', tool_call_id: 'b:1', content: '', is_error: true },
      { role: 'developer', content: 'Two.' },
      { role: 'user', content: 'more' },
    );
    expect(sent['system']).toEqual([{ text: 'One.' }, { text: 'Two.' }]);
    expect(sent.messages).toEqual([
      { role: 'user', content: [{ text: 'hi' }] },
      {
        role: 'assistant',
        content: [
          { text: 'I look.' },
          { toolUse: { toolUseId: 'a', name: 'f', input: { x: 1 } } },
          { toolUse: { toolUseId: 'b_1', name: 'g', input: {} } },
        ],
      },
      {
        role: 'user',
        content: [
          { toolResult: { toolUseId: 'a', content: [{ text: 'one' }] } },
          { toolResult: { toolUseId: 'b_1', content: [{ text: '(nothing)' }], status: 'error' } },
          { text: 'more' },
        ],
      },
    ]);
  });

  test('shorten ids that are too long, equally on both sides', () => {
    const id = 'x'.repeat(80);
    const sent = encodeMessages(hi, { role: 'assistant', tool_calls: [call(id, 'f')] }, { role: 'tool', tool_call_id: id, content: 'x' });
    const used = sent.messages[1]?.content[0]?.['toolUse'] as { toolUseId: string } | undefined;
    expect(used?.toolUseId).toMatch(/^[0-9a-f]{64}$/);
    expect(sent.messages[2]?.content[0]?.['toolResult']).toMatchObject({ toolUseId: used?.toolUseId });
  });

  test('contain images, documents, audio and video as bytes', () => {
    const sent = encodeMessages({
      role: 'user',
      content: [
        { type: 'image_url', image_url: { url: 'data:image/jpeg;base64,QUJD' } },
        { type: 'file', file: { filename: 'Übersicht (v2)!.final.pdf', file_data: 'data:application/pdf;base64,QUJD' } },
        { type: 'file', file: { file_data: 'data:text/csv;base64,QUJD' } },
        { type: 'input_audio', input_audio: { data: 'QUJD', format: 'mp3' } },
        { type: 'video_url', video_url: { url: 'data:video/mp4;base64,QUJD' } },
        { type: 'video_url', video_url: { url: 's3://bucket/v.mp4' } },
        { guardContent: { text: { text: 'x' } } },
      ],
    });
    const source = { bytes: 'QUJD' };
    expect(sent.messages[0]?.content).toEqual([
      { image: { format: 'jpeg', source } },
      { document: { format: 'pdf', name: 'bersicht (v2)-final', source } },
      { document: { format: 'csv', name: 'document', source } },
      { audio: { format: 'mp3', source } },
      { video: { format: 'mp4', source } },
      { video: { format: 'mp4', source: { s3Location: { uri: 's3://bucket/v.mp4' } } } },
      { guardContent: { text: { text: 'x' } } },
    ]);
    expect(bedrockChat.pictures).toBe('bytes');
  });

  test.each([
    [{ type: 'image_url', image_url: { url: 'data:image/tiff;base64,QUJD' } }],
    [{ type: 'image_url', image_url: { url: 'https://a.example/x.png' } }],
    [{ type: 'file', file: { file_data: 'data:application/zip;base64,QUJD' } }],
    [{ type: 'file', file: { file_id: 'file-1' } }],
    [{ type: 'hologram' }],
  ])('refuse %j', (part) => {
    const error = thrownBy(() => encodeMessages({ role: 'user', content: [part] }));
    expect(error).toMatchObject({ code: 'unsupported_parameter' });
    expect((error as { param: string }).param).toMatch(/^messages\[0\]\.content\[0\]/);
  });

  test('refuse images as instructions, results by name, and instructions alone', () => {
    const picture = { type: 'image_url', image_url: { url: 'data:image/png;base64,QUJD' } };
    expect(thrownBy(() => encodeMessages({ role: 'system', content: [picture] }, hi))).toMatchObject({ param: 'messages[0].content[0]' });
    expect(thrownBy(() => encodeMessages(hi, { role: 'function', name: 'f', content: 'x' }))).toMatchObject({ param: 'messages[1].role' });
    expect(thrownBy(() => encodeMessages({ role: 'system', content: 'x' }))).toMatchObject({ param: 'messages' });
  });

  test('turn cache_control into cachePoint blocks', () => {
    const cache_control = { type: 'ephemeral', ttl: '1h' };
    const point = { cachePoint: { type: 'default', ttl: '1h' } };
    const sent = encode(claude, {
      tools: [{ ...tool('f'), cache_control }],
      messages: [
        { role: 'system', content: [{ type: 'text', text: 'One.', cache_control }] },
        { role: 'user', content: 'a', cache_control },
        { role: 'assistant', content: 'b', tool_calls: [call('t', 'f')], cache_control },
        { role: 'tool', tool_call_id: 't', content: 'c', cache_control },
      ],
    });
    expect(sent['system']).toEqual([{ text: 'One.' }, point]);
    expect(sent['toolConfig']).toEqual({ tools: [spec('f'), point] });
    expect(sent.messages.map(({ content }) => content)).toEqual([
      [{ text: 'a' }, point],
      [{ text: 'b' }, { toolUse: { toolUseId: 't', name: 'f', input: {} } }, point],
      [{ toolResult: { toolUseId: 't', content: [{ text: 'c' }] } }, point],
    ]);
  });
});

describe('tools for Bedrock', () => {
  const tools = [tool('f'), tool('g')];

  test.each([
    ['auto', { auto: {} }],
    ['required', { any: {} }],
    [{ type: 'function', function: { name: 'g' } }, { tool: { name: 'g' } }],
  ])('are chosen by %j', (tool_choice, toolChoice) => {
    expect(encode(nova, { tools, tool_choice })['toolConfig']).toEqual({ tools: [spec('f'), spec('g')], toolChoice });
  });

  test('are omitted when none may be called, except for Claude, which gets a note', () => {
    expect(encode(nova, { tools, tool_choice: 'none' })).not.toHaveProperty('toolConfig');
    const turn = [hi, { role: 'assistant', tool_calls: [call('t', 'f')] }, { role: 'tool', tool_call_id: 't', content: 'x' }];
    const sent = encode(claude, { tools, tool_choice: 'none', messages: turn });
    expect(sent['toolConfig']).toEqual({ tools: [spec('f'), spec('g')] });
    expect(sent['additionalModelRequestFields']).toEqual({ tool_choice: { type: 'none' } });
  });

  test('of earlier turns are declared for Claude, and written as text for all others', () => {
    const messages = [
      hi,
      { role: 'assistant', content: null, tool_calls: [call('t', 'f', '{"x":1}')] },
      { role: 'tool', tool_call_id: 't', content: 'sunny' },
    ];
    const sent = encode(claude, { messages });
    expect(sent['toolConfig']).toEqual({ tools: [{ toolSpec: { name: 'f', inputSchema: { json: { type: 'object' } } } }] });
    expect(sent['additionalModelRequestFields']).toEqual({ tool_choice: { type: 'none' } });
    const inText = encode(nova, { messages });
    expect(inText).not.toHaveProperty('toolConfig');
    expect(inText.messages.slice(1)).toEqual([
      { role: 'assistant', content: [{ text: 'Called f with {"x":1}' }] },
      { role: 'user', content: [{ text: 'The tool returned:' }, { text: 'sunny' }] },
    ]);
  });

  test('are called one at a time by Claude, if the caller wants that', () => {
    const sent = encode(claude, { tools, parallel_tool_calls: false, tool_choice: 'required' });
    // Bedrock refuses duplicate names.
    expect(sent['toolConfig']).toEqual({ tools: [spec('f'), spec('g')] });
    expect(sent['additionalModelRequestFields']).toEqual({ tool_choice: { type: 'any', disable_parallel_tool_use: true } });
    expect(encode(nova, { tools, parallel_tool_calls: false }).warnings).toEqual([`parallel_tool_calls left out: ${nova} has none`]);
  });

  test('may be those of Bedrock itself, strict, and limited to the allowed ones', () => {
    const own = { systemTool: { name: 'nova_grounding' } };
    expect(encode(nova, { tools: [tool('f'), own] })['toolConfig']).toEqual({ tools: [spec('f'), own] });
    expect(thrownBy(() => encode(nova, { tools: [own, tool('f'), { type: 'custom' }] }))).toMatchObject({ code: 'unsupported_parameter' });
    const strict = encode(claude, { tools: [tool('f', { strict: true, parameters: { type: 'object', properties: {} } })] });
    expect(strict['toolConfig']).toMatchObject({
      tools: [{ toolSpec: { strict: true, inputSchema: { json: { additionalProperties: false } } } }],
    });
    const allowed = { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [{ type: 'function', function: { name: 'g' } }] } };
    expect(encode(nova, { tools, tool_choice: allowed })['toolConfig']).toEqual({ tools: [spec('g')], toolChoice: { auto: {} } });
  });
});

describe('thinking at Bedrock', () => {
  test.each([
    [claude, 'low', { thinking: { type: 'adaptive', display: 'summarized' }, output_config: { effort: 'low' } }],
    [budgeted, 'low', { thinking: { type: 'enabled', budget_tokens: 2_048 } }],
    ['openai.gpt-oss-120b-1:0', 'high', { reasoning_effort: 'high' }],
    ['us.amazon.nova-2-lite-v1:0', 'xhigh', { reasoningConfig: { type: 'enabled', maxReasoningEffort: 'high' } }],
    ['us.amazon.nova-2-lite-v1:0', 'none', { reasoningConfig: { type: 'disabled' } }],
  ])('%s with %s', (model, reasoning_effort, fields) => {
    expect(encode(model, { reasoning_effort })['additionalModelRequestFields']).toEqual(fields);
  });

  test('is omitted where a model has no field for it, with a warning', () => {
    expect(encode(nova, { reasoning_effort: 'low' }).warnings).toEqual([`reasoning_effort left out: ${nova} has no field for it`]);
  });

  test('respects its limit, and omits temperature', () => {
    const sent = encode(budgeted, { reasoning_effort: 'high', temperature: 0.5 });
    expect(sent['inferenceConfig']).toEqual({ maxTokens: 64_000 });
    expect(sent.warnings).toEqual([`temperature left out: ${budgeted} takes none while it thinks`]);
    expect(encode(budgeted, {})).not.toHaveProperty('inferenceConfig');
  });

  test("keeps the caller's own field, beside other fields for Claude", () => {
    const sent = encode(claude, { thinking: { type: 'adaptive' }, output_config: { x: 1 }, reasoning_effort: 'high' });
    expect(sent['additionalModelRequestFields']).toEqual({ thinking: { type: 'adaptive' }, output_config: { x: 1, effort: 'high' } });
    expect(encode('deepseek.v3-v1:0', { thinking: { type: 'enabled' } })['additionalModelRequestFields']).toEqual({
      thinking: { type: 'enabled' },
    });
  });

  test('gets its earlier reasoning back, even from Anthropic', () => {
    const signed = (format: string): Data => ({ type: 'reasoning.text', format, text: 'hm', signature: 'S' });
    const hidden = { type: 'reasoning.encrypted', format: 'bedrock', data: 'UkVE' };
    const turn = (...reasoning_details: readonly Data[]): Data[] => [
      hi,
      { role: 'assistant', tool_calls: [call('t', 'f')], reasoning_details },
      { role: 'tool', tool_call_id: 't', content: 'x' },
    ];
    const ask = (model: string, ...given: readonly Data[]) =>
      encode(model, { messages: turn(...given), tools: [tool('f')], reasoning_effort: 'low' });
    const thought = { reasoningContent: { reasoningText: { text: 'hm', signature: 'S' } } };
    expect(ask(budgeted, signed('bedrock'), hidden, signed('gemini')).messages[1]?.content.slice(0, -1)).toEqual([
      thought,
      { reasoningContent: { redactedContent: 'UkVE' } },
    ]);
    expect(ask(budgeted, signed('anthropic')).messages[1]?.content[0]).toEqual(thought);
    expect(ask(nova, signed('anthropic')).messages[1]?.content[0]).toHaveProperty('toolUse');
    const lost = ask(budgeted);
    expect(lost.warnings).toEqual(['thinking switched off: the thoughts before the last tool calls are lost']);
    expect(lost['additionalModelRequestFields']).toBeUndefined();
  });
});
