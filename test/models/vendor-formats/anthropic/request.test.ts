import { describe, expect, test } from 'vitest';
import { anthropicChat } from '../../../../src/models/vendor-formats/anthropic/chat.ts';
import type { ChatBody } from '../../../../src/types/chat.ts';
import { targetOf } from '../../target.ts';
import { thrownBy } from '../decode-and-emit.ts';

type Data = Record<string, unknown>;
interface Sent extends Data {
  readonly messages: Data[];
}

const hi = { role: 'user', content: 'hi' };

function encode(body: Partial<ChatBody>, target = targetOf({ model: 'claude-sonnet-4-6' })): Sent {
  const whole = { model: 'public', messages: [hi], ...body } as ChatBody;
  return JSON.parse(anthropicChat.encodeRequest({ body: whole }, target).toString()) as Sent;
}
const encodeMessages = (...messages: readonly Data[]): Sent => encode({ messages } as Partial<ChatBody>);
const said = (text: string): Data => ({ type: 'text', text });
const call = (id: string, name: string, text = '{}'): Data => ({ id, type: 'function', function: { name, arguments: text } });

describe('a request to Anthropic', () => {
  test('has the required fields and nothing else', () => {
    expect(encode({})).toEqual({ model: 'claude-sonnet-4-6', max_tokens: 128_000, messages: [{ role: 'user', content: [said('hi')] }] });
    expect(encode({ stream: true }, targetOf({ model: 'claude-sonnet-4-6', stream: true }))['stream']).toBe(true);
  });

  test('maps fields, and passes unknown ones', () => {
    const target = targetOf({ model: 'claude-sonnet-4-6' });
    const sent = encode(
      {
        max_completion_tokens: 50,
        max_tokens: 60,
        temperature: 0.5,
        stop: 'END',
        user: 'u-1',
        n: 1,
        logprobs: false,
        stream_options: { include_usage: true },
        top_k: 5,
        cache_control: { type: 'ephemeral' },
        mcp_servers: [{ type: 'url' }],
        service_tier: 'auto',
        output_config: { task_budget: 9 },
      },
      target,
    );
    expect(sent).toEqual({
      model: 'claude-sonnet-4-6',
      messages: [{ role: 'user', content: [said('hi')] }],
      max_tokens: 50,
      temperature: 0.5,
      stop_sequences: ['END'],
      metadata: { user_id: 'u-1' },
      top_k: 5,
      cache_control: { type: 'ephemeral' },
      mcp_servers: [{ type: 'url' }],
      output_config: { task_budget: 9 },
    });
    expect(target.warnings).toEqual([]);
  });

  test.each([
    ['seed', 7, 'seed left out: vendor has none'],
    ['presence_penalty', 1, 'presence_penalty left out: vendor has none'],
    ['frequency_penalty', 1, 'frequency_penalty left out: vendor has none'],
    ['logit_bias', { 5: 1 }, 'logit_bias left out: vendor has none'],
    ['metadata', { team: 'a' }, 'metadata left out: vendor knows user_id only'],
    ['temperature', 1.7, 'temperature changed to 1: vendor takes 0 to 1'],
  ])('omits the optional field %s, or changes it, and reports it', (field, value, warning) => {
    const target = targetOf({ model: 'claude-sonnet-4-6' });
    const sent = encode({ [field]: value }, target);
    expect(target.warnings).toEqual([warning]);
    expect(sent[field]).toBe(field === 'temperature' ? 1 : undefined);
  });

  test.each([
    ['n', 2],
    ['logprobs', true],
    ['modalities', ['text', 'audio']],
    ['functions', [{ name: 'f' }]],
    ['response_format', { type: 'json_object' }],
    ['response_format', { type: 'grammar' }],
    ['stop', ['\n']],
  ])('refuses %s %j, naming the field and the vendor', (field, value) => {
    const error = thrownBy(() => encode({ [field]: value }));
    expect(error).toMatchObject({ code: 'unsupported_parameter', param: field });
    expect((error as Error).message).toContain('vendor');
  });

  test.each([
    ['claude-opus-4-5-20251101', 64_000],
    ['claude-opus-4-20250514', 32_000],
    ['claude-3-5-haiku-latest', 8_192],
    ['claude-3-opus-20240229', 4_096],
    ['claude-fable-5-1', 128_000],
  ])('sets %s to %i tokens when the caller sets no limit', (model, tokens) => {
    expect(encode({}, targetOf({ model }))['max_tokens']).toBe(tokens);
  });

  test('reports the limit when the model is unknown', () => {
    const target = targetOf({ model: 'glm-4.7' });
    expect(encode({}, target)['max_tokens']).toBe(8_192);
    expect(target.warnings).toEqual(['max_tokens set to 8192: vendor needs one']);
  });

  test('names beta features in a header, not in the body', () => {
    const body = { model: 'm', messages: [hi], betas: ['one-2025-01-01', 'two', 3, 'bad\r\nname'] };
    expect(anthropicChat.headers?.(targetOf(), { body })).toEqual({
      'anthropic-version': '2023-06-01',
      'anthropic-beta': 'one-2025-01-01,two',
    });
    expect(anthropicChat.headers?.(targetOf(), { body: { model: 'm', messages: [] } })).toEqual({ 'anthropic-version': '2023-06-01' });
    expect(encode({ betas: ['x'] })['betas']).toBeUndefined();
  });

  test('in this format is unchanged except for model and stream', () => {
    const native = {
      model: 'public',
      max_tokens: 1,
      messages: [{ role: 'user', content: [{ type: 'text', text: ' ', cache_control: { type: 'ephemeral', ttl: '1h' } }] }],
      thinking: { type: 'between_tools' },
      temperature: 1.9,
      unheard_of: [null],
      stream: true,
    };
    const request = { body: { model: 'public', messages: [hi] }, native: { format: 'anthropic', body: native } };
    const target = targetOf({ model: 'claude-x' });
    expect(JSON.parse(anthropicChat.encodeRequest(request, target).toString())).toEqual({ ...native, model: 'claude-x', stream: false });
    expect(target.warnings).toEqual([]);
  });

  test('is adjusted by the dialect last', () => {
    const adjust = (body: Data) => ({ ...body, adjusted: true });
    expect(encode({}, targetOf({ model: 'claude-sonnet-4-6', adjust }))['adjusted']).toBe(true);
  });
});

describe('messages to Anthropic', () => {
  test('have all instructions first, in order, even those in the middle', () => {
    const sent = encodeMessages(
      { role: 'system', content: 'One.' },
      hi,
      { role: 'developer', content: [said('Two.')] },
      { role: 'user', content: 'more' },
    );
    expect(sent['system']).toEqual([said('One.'), said('Two.')]);
    expect(sent.messages).toEqual([{ role: 'user', content: [said('hi'), said('more')] }]);
    expect(encodeMessages({ role: 'system', content: 'One.' }, hi)['system']).toBe('One.');
  });

  test('alternate, with all results of parallel calls in one turn, before the user’s text', () => {
    const sent = encodeMessages(
      hi,
      { role: 'assistant', content: 'I look.', tool_calls: [call('a', 'f', '{"x":1}'), call('b', 'g', '')] },
      { role: 'tool', tool_call_id: 'a', content: 'one' },
      { role: 'user', content: 'Hurry!' },
      { role: 'tool', tool_call_id: 'b', content: 'no such city', is_error: true },
    );
    expect(sent.messages).toEqual([
      { role: 'user', content: [said('hi')] },
      {
        role: 'assistant',
        content: [
          said('I look.'),
          { type: 'tool_use', id: 'a', name: 'f', input: { x: 1 } },
          { type: 'tool_use', id: 'b', name: 'g', input: {} },
        ],
      },
      {
        role: 'user',
        content: [
          { type: 'tool_result', tool_use_id: 'a', content: 'one' },
          { type: 'tool_result', tool_use_id: 'b', content: 'no such city', is_error: true },
          said('Hurry!'),
        ],
      },
    ]);
  });

  test('keep parts of results, and omit null content', () => {
    const picture = { type: 'image_url', image_url: { url: 'https://a.example/x.png' } };
    const sent = encodeMessages(
      hi,
      { role: 'assistant', content: null, tool_calls: [call('a', 'f'), call('b', 'f')] },
      { role: 'tool', tool_call_id: 'a', content: [said('see'), picture] },
      { role: 'tool', tool_call_id: 'b', content: '' },
    );
    expect(sent.messages[2]?.['content']).toEqual([
      {
        type: 'tool_result',
        tool_use_id: 'a',
        content: [said('see'), { type: 'image', source: { type: 'url', url: 'https://a.example/x.png' } }],
      },
      { type: 'tool_result', tool_use_id: 'b' },
    ]);
  });

  test('convert call ids of other vendors, equally on both sides', () => {
    const sent = encodeMessages(
      hi,
      { role: 'assistant', tool_calls: [call('functions.f:0', 'f')] },
      { role: 'tool', tool_call_id: 'functions.f:0', content: 'x' },
    );
    expect(sent.messages[1]?.['content']).toEqual([{ type: 'tool_use', id: 'functions_f_0', name: 'f', input: {} }]);
    expect(sent.messages[2]?.['content']).toEqual([{ type: 'tool_result', tool_use_id: 'functions_f_0', content: 'x' }]);
  });

  test('contain images by URL and as bytes, and documents', () => {
    const data = Buffer.from('Grüße').toString('base64');
    const sent = encodeMessages({
      role: 'user',
      content: [
        { type: 'image_url', image_url: { url: 'https://a.example/x.png' } },
        { type: 'image_url', image_url: { url: 'data:image/jpg;base64,QUJD' } },
        { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,QUJD' } },
        { type: 'file', file: { file_data: `data:text/markdown;base64,${data}` } },
        { type: 'search_result', source: 's', title: 't', content: [said('c')] },
      ],
    });
    expect(sent.messages[0]?.['content']).toEqual([
      { type: 'image', source: { type: 'url', url: 'https://a.example/x.png' } },
      { type: 'image', source: { type: 'base64', media_type: 'image/jpeg', data: 'QUJD' } },
      { type: 'document', source: { type: 'base64', media_type: 'application/pdf', data: 'QUJD' }, title: 'a.pdf' },
      { type: 'document', source: { type: 'text', media_type: 'text/plain', data: 'Grüße' } },
      { type: 'search_result', source: 's', title: 't', content: [said('c')] },
    ]);
  });

  test.each([
    [{ type: 'image_url', image_url: { url: 'data:image/tiff;base64,QUJD' } }],
    [{ type: 'input_audio', input_audio: { data: 'QUJD', format: 'wav' } }],
    [{ type: 'video_url', video_url: { url: 'https://a.example/v.mp4' } }],
    [{ type: 'file', file: { file_id: 'file-1' } }],
    [{ type: 'file', file: { file_data: 'data:application/zip;base64,QUJD' } }],
    [{ type: 'hologram' }],
  ])('refuse %j', (part) => {
    const refused = { code: 'unsupported_parameter', param: 'messages[0].content[1]' };
    expect(thrownBy(() => encodeMessages({ role: 'user', content: [said('x'), part] }))).toMatchObject(refused);
  });

  test('refuse images as instructions, results by name, and instructions alone', () => {
    const picture = { type: 'image_url', image_url: { url: 'https://a.example/x.png' } };
    expect(thrownBy(() => encodeMessages({ role: 'system', content: [picture] }, hi))).toMatchObject({ param: 'messages[0].content[0]' });
    expect(thrownBy(() => encodeMessages(hi, { role: 'function', name: 'f', content: 'x' }))).toMatchObject({ param: 'messages[1].role' });
    expect(thrownBy(() => encodeMessages({ role: 'system', content: 'x' }))).toMatchObject({ param: 'messages' });
  });

  test('omit empty texts, and report omitted names', () => {
    const target = targetOf({ model: 'claude-sonnet-4-6' });
    const messages = [
      { role: 'user', content: ' \n' },
      { role: 'user', name: 'ann', content: [said(''), said('x')] },
      { role: 'assistant', content: null, refusal: 'No.' },
    ];
    expect(encode({ messages } as Partial<ChatBody>, target).messages).toEqual([
      { role: 'user', content: [said('x')] },
      { role: 'assistant', content: [said('No.')] },
    ]);
    expect(target.warnings).toEqual(['name of messages left out: vendor has none']);
  });

  test('keep cache_control in place', () => {
    const cache_control = { type: 'ephemeral' };
    const sent = encodeMessages(
      { role: 'system', content: [{ ...said('One.'), cache_control }] },
      { role: 'user', content: [{ ...said('a'), cache_control }, said('b')] },
      { role: 'assistant', content: 'c', tool_calls: [call('t', 'f')], cache_control },
      { role: 'tool', tool_call_id: 't', content: 'd', cache_control },
      { role: 'user', content: 'e', cache_control },
    );
    expect(sent['system']).toEqual([{ ...said('One.'), cache_control }]);
    expect(sent.messages.map((message) => message['content'])).toEqual([
      [{ ...said('a'), cache_control }, said('b')],
      [said('c'), { type: 'tool_use', id: 't', name: 'f', input: {}, cache_control }],
      [
        { type: 'tool_result', tool_use_id: 't', content: 'd', cache_control },
        { ...said('e'), cache_control },
      ],
    ]);
  });
});

describe('the form of an answer of Anthropic', () => {
  const schema = { type: 'object', properties: { x: { type: 'string' } }, required: ['x'] };
  const response_format = { type: 'json_schema', json_schema: { name: 'n', strict: true, schema } };

  test('is enforced by a schema', () => {
    expect(encode({ response_format, output_config: { effort: 'low' } })['output_config']).toEqual({
      effort: 'low',
      format: { type: 'json_schema', schema: { ...schema, additionalProperties: false } },
    });
    expect(encode({ response_format: { type: 'text' } })['output_config']).toBeUndefined();
  });

  test.each(['claude-3-7-sonnet-latest', 'claude-sonnet-4-0', 'glm-4.7'])('is refused for %s, which does not support it', (model) => {
    expect(thrownBy(() => encode({ response_format }, targetOf({ model })))).toMatchObject({
      code: 'unsupported_parameter',
      param: 'response_format',
    });
  });
});
