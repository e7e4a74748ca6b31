import { describe, expect, test } from 'vitest';
import { geminiChat } from '../../../../src/models/vendor-formats/gemini/chat.ts';
import type { ChatBody } from '../../../../src/types/chat.ts';
import type { JsonObject } from '../../../../src/types/json.ts';
import { targetOf } from '../../target.ts';
import { thrownBy } from '../decode-and-emit.ts';

interface Sent {
  readonly contents: readonly { readonly role: string; readonly parts: readonly Record<string, unknown>[] }[];
  readonly systemInstruction?: unknown;
  readonly generationConfig?: Record<string, unknown>;
  readonly tools?: readonly Record<string, unknown>[];
  readonly toolConfig?: unknown;
}

function encode(body: Partial<ChatBody>, target = targetOf({ model: 'gemini-2.0-flash' })): Sent {
  const request = { body: { model: 'public', messages: [{ role: 'user', content: 'hi' }], ...body } as ChatBody };
  return JSON.parse(geminiChat.encodeRequest(request, target).toString()) as Sent;
}

const tool = (name: string, parameters?: JsonObject): JsonObject => ({
  type: 'function',
  function: { name, description: 'd', parameters },
});
const call = (id: string, name: string, text = '{}') => ({ id, type: 'function', function: { name, arguments: text } });

describe('a request to Gemini', () => {
  test('has its settings under generationConfig and passes unknown fields', () => {
    const sent = encode({
      temperature: 0.5,
      top_p: 0.9,
      top_k: 4,
      n: 2,
      max_completion_tokens: 7,
      stop: 'x',
      seed: 1,
      presence_penalty: 0.1,
      frequency_penalty: 0.2,
      logprobs: true,
      top_logprobs: 3,
      safetySettings: [],
      generationConfig: { mediaResolution: 'low', temperature: 0.6 },
    });
    expect(sent).toEqual({
      contents: [{ role: 'user', parts: [{ text: 'hi' }] }],
      generationConfig: {
        temperature: 0.6,
        topP: 0.9,
        topK: 4,
        candidateCount: 2,
        maxOutputTokens: 7,
        stopSequences: ['x'],
        seed: 1,
        presencePenalty: 0.1,
        frequencyPenalty: 0.2,
        responseLogprobs: true,
        logprobs: 3,
        mediaResolution: 'low',
      },
      safetySettings: [],
    });
  });

  test('requests JSON by type and by schema, without the keywords that Gemini refuses', () => {
    expect(encode({ response_format: { type: 'json_object' } }).generationConfig).toEqual({ responseMimeType: 'application/json' });
    const schema = {
      $schema: 'x',
      type: 'object',
      properties: { const: { const: 1 }, list: { type: 'array', items: { $comment: 'c', type: 'string' } }, not: { type: 'null' } },
      additionalProperties: false,
      required: ['const'],
      not: {},
    };
    expect(encode({ response_format: { type: 'json_schema', json_schema: { name: 'n', schema } } }).generationConfig).toEqual({
      responseMimeType: 'application/json',
      responseJsonSchema: {
        type: 'object',
        properties: { const: { enum: [1] }, list: { type: 'array', items: { type: 'string' } }, not: { type: 'null' } },
        additionalProperties: false,
        required: ['const'],
      },
    });
  });

  test.each([
    ['gemini-2.5-flash', undefined, { includeThoughts: true }, 0],
    ['gemini-2.5-flash', 'none', { thinkingBudget: 0 }, 0],
    ['gemini-2.5-flash', 'max', { includeThoughts: true, thinkingBudget: 24576 }, 0],
    ['gemini-2.5-pro', 'none', { thinkingBudget: 128 }, 1],
    ['gemini-2.5-pro', 'medium', { includeThoughts: true, thinkingBudget: 8192 }, 0],
    ['gemini-3-pro-preview', 'medium', { includeThoughts: true, thinkingLevel: 'high' }, 1],
    ['gemini-3.1-pro-preview', 'medium', { includeThoughts: true, thinkingLevel: 'medium' }, 0],
    ['gemini-3-flash', 'minimal', { includeThoughts: true, thinkingLevel: 'minimal' }, 0],
    ['gemini-flash-latest', 'low', { includeThoughts: true, thinkingLevel: 'low' }, 0],
    ['gemini-3-pro-preview', 'none', { thinkingLevel: 'low' }, 1],
    ['gemini-2.0-flash', 'high', undefined, 1],
    ['gemini-2.5-flash-image', 'high', undefined, 1],
  ])('maps for %s the effort %s to %j', (model, effort, wanted, warnings) => {
    const target = targetOf({ model });
    expect(encode({ reasoning_effort: effort }, target).generationConfig?.['thinkingConfig']).toEqual(wanted);
    expect(target.warnings).toHaveLength(warnings);
  });

  test("is overridden by the vendor's own thinking field", () => {
    const sent = encode(
      { reasoning_effort: 'high', generationConfig: { thinkingConfig: { thinkingBudget: 5 } } },
      targetOf({ model: 'gemini-2.5-flash' }),
    );
    expect(sent.generationConfig).toEqual({ thinkingConfig: { thinkingBudget: 5 } });
  });

  test('contains instructions, images, audio, files and video', () => {
    const sent = encode({
      messages: [
        { role: 'system', content: 'one' },
        { role: 'developer', content: [{ type: 'text', text: 'two' }] },
        {
          role: 'user',
          content: [
            { type: 'image_url', image_url: { url: 'data:image/PNG;base64,AA AA' } },
            { type: 'input_audio', input_audio: { data: 'BBBB', format: 'mp3' } },
            { type: 'file', file: { filename: 'a.pdf', file_data: 'data:application/pdf;base64,CCCC' } },
            { type: 'video_url', video_url: { url: 'https://www.youtube.com/watch?v=1' } },
            { type: 'video_url', video_url: { url: 'gs://bucket/a.mp4' } },
            { fileData: { fileUri: 'gs://bucket/b.pdf', mimeType: 'application/pdf' } },
          ],
        },
      ],
    });
    expect(sent.systemInstruction).toEqual({ parts: [{ text: 'one' }, { text: 'two' }] });
    expect(sent.contents[0]?.parts).toEqual([
      { inlineData: { mimeType: 'image/png', data: 'AAAA' } },
      { inlineData: { mimeType: 'audio/mp3', data: 'BBBB' } },
      { inlineData: { mimeType: 'application/pdf', data: 'CCCC' } },
      { fileData: { fileUri: 'https://www.youtube.com/watch?v=1' } },
      { fileData: { fileUri: 'gs://bucket/a.mp4', mimeType: 'video/mp4' } },
      { fileData: { fileUri: 'gs://bucket/b.pdf', mimeType: 'application/pdf' } },
    ]);
    expect(geminiChat.pictures).toBe('bytes');
  });

  test('sends results by name, in the order of their calls, in one turn', () => {
    const { contents } = encode({
      messages: [
        { role: 'user', content: 'q' },
        {
          role: 'assistant',
          content: 'let me see',
          tool_calls: [call('c1', 'weather', '{"city":"Rome"}'), call('c2', 'weather'), call('c3', 'time')],
        },
        { role: 'tool', tool_call_id: 'c3', content: '{"now":12}' },
        { role: 'tool', tool_call_id: 'c2', content: 'Error: no city' },
        {
          role: 'tool',
          tool_call_id: 'c1',
          content: [
            { type: 'text', text: 'sunny' },
            { type: 'image_url', image_url: { url: 'data:image/png;base64,AA' } },
          ],
        },
        { role: 'user', content: 'and?' },
      ],
    });
    expect(contents).toEqual([
      { role: 'user', parts: [{ text: 'q' }] },
      {
        role: 'model',
        parts: [
          { text: 'let me see' },
          { functionCall: { name: 'weather', args: { city: 'Rome' } } },
          { functionCall: { name: 'weather', args: {} } },
          { functionCall: { name: 'time', args: {} } },
        ],
      },
      {
        role: 'user',
        parts: [
          { functionResponse: { name: 'weather', response: { output: 'sunny' } } },
          { inlineData: { mimeType: 'image/png', data: 'AA' } },
          { functionResponse: { name: 'weather', response: { output: 'Error: no city' } } },
          { functionResponse: { name: 'time', response: { now: 12 } } },
        ],
      },
      { role: 'user', parts: [{ text: 'and?' }] },
    ]);
  });

  test('maps a reused call id to its latest name', () => {
    const { contents } = encode({
      messages: [
        { role: 'assistant', tool_calls: [call('c', 'a')] },
        { role: 'tool', tool_call_id: 'c', content: '1' },
        { role: 'assistant', tool_calls: [call('c', 'b')] },
        { role: 'tool', tool_call_id: 'c', content: '2' },
      ],
    });
    expect(contents.filter(({ role }) => role === 'user').map(({ parts }) => parts[0]?.['functionResponse'])).toMatchObject([
      { name: 'a' },
      { name: 'b' },
    ]);
    expect(thrownBy(() => encode({ messages: [{ role: 'tool', tool_call_id: 'x', content: '1' }] }))).toMatchObject({
      code: 'invalid_request',
      param: 'messages[0].tool_call_id',
    });
  });

  test('returns signatures with their calls, and marks a missing one for a model that checks them', () => {
    const messages = (thoughts?: readonly JsonObject[]): JsonObject[] => [
      { role: 'user', content: 'q' },
      {
        role: 'assistant',
        content: 'x',
        tool_calls: [call('c1', 'a'), call('c2', 'b')],
        ...(thoughts === undefined ? {} : { reasoning_details: thoughts }),
      },
      { role: 'tool', tool_call_id: 'c1', content: '1' },
      { role: 'tool', tool_call_id: 'c2', content: '2' },
    ];
    const details = [
      { type: 'reasoning.encrypted', format: 'gemini', id: 'c1', data: 'S1' },
      { type: 'reasoning.encrypted', format: 'gemini', data: 'S2' },
      { type: 'reasoning.encrypted', format: 'anthropic', data: 'other' },
    ];
    const newer = targetOf({ model: 'gemini-3-pro-preview' });
    expect(encode({ messages: messages(details) }, newer).contents[1]?.parts).toEqual([
      { text: 'x', thoughtSignature: 'S2' },
      { functionCall: { name: 'a', args: {} }, thoughtSignature: 'S1' },
      { functionCall: { name: 'b', args: {} } },
    ]);
    expect(encode({ messages: messages() }, newer).contents[1]?.parts).toEqual([
      { text: 'x' },
      { functionCall: { name: 'a', args: {} }, thoughtSignature: 'skip_thought_signature_validator' },
      { functionCall: { name: 'b', args: {} } },
    ]);
    expect(JSON.stringify(encode({ messages: messages() }))).not.toContain('thoughtSignature');
    expect(geminiChat.thoughts).toBe(true);
  });

  test('declares functions by JSON Schema, vendor tools unchanged, and OpenAI’s web search as its own', () => {
    const parameters = { type: 'object', properties: { a: { $ref: '#/$defs/A' } }, $defs: { A: { const: 'x' } } };
    const sent = encode({
      tools: [tool('f', parameters), tool('g', { type: 'object', properties: {} }), { codeExecution: {} }],
      web_search_options: {},
    });
    expect(sent.tools).toEqual([
      {
        functionDeclarations: [
          {
            name: 'f',
            description: 'd',
            parametersJsonSchema: { type: 'object', properties: { a: { $ref: '#/$defs/A' } }, $defs: { A: { enum: ['x'] } } },
          },
          { name: 'g', description: 'd' },
        ],
      },
      { codeExecution: {} },
      { googleSearch: {} },
    ]);
    expect(sent.toolConfig).toBeUndefined();
  });

  test.each([
    ['auto', { mode: 'AUTO' }],
    ['none', { mode: 'NONE' }],
    ['required', { mode: 'ANY' }],
    [
      { type: 'function', function: { name: 'f' } },
      { mode: 'ANY', allowedFunctionNames: ['f'] },
    ],
  ])('maps the tool choice %j to %j', (choice, functionCallingConfig) => {
    const toolConfig = { retrievalConfig: { languageCode: 'de' } };
    expect(encode({ tools: [tool('f')], tool_choice: choice, toolConfig }).toolConfig).toEqual({ ...toolConfig, functionCallingConfig });
  });

  test('offers only the allowed functions', () => {
    const choice = { type: 'allowed_tools', mode: 'auto', tools: [{ type: 'function', name: 'g' }] };
    expect(encode({ tools: [tool('f'), tool('g')], tool_choice: choice })).toMatchObject({
      tools: [{ functionDeclarations: [{ name: 'g' }] }],
      toolConfig: { functionCallingConfig: { mode: 'AUTO' } },
    });
  });

  test('puts instructions into the first turn for Gemma, which has no instructions', () => {
    const messages = [
      { role: 'system', content: 's' },
      { role: 'user', content: 'u' },
    ];
    expect(encode({ messages }, targetOf({ model: 'gemma-3-27b-it' }))).toEqual({
      contents: [
        { role: 'user', parts: [{ text: 's' }] },
        { role: 'user', parts: [{ text: 'u' }] },
      ],
    });
  });

  test.each([
    [{ audio: { voice: 'x', format: 'mp3' } }, 'audio.format'],
    [{ modalities: ['text', 'video'] }, 'modalities'],
    [{ logit_bias: { '1': 1 } }, 'logit_bias'],
    [{ functions: [{}] }, 'functions'],
    [{ tools: [{ type: 'custom', custom: { name: 'x' } }] }, 'tools[0]'],
    [{ messages: [{ role: 'system', content: 's' }] }, 'messages'],
    [{ messages: [{ role: 'user', content: [{ type: 'image_url', image_url: 'https://p.example/a.png' }] }] }, 'messages[0].content[0]'],
    [{ messages: [{ role: 'user', content: [{ type: 'file', file: { file_id: 'f' } }] }] }, 'messages[0].content[0]'],
  ])('refuses %j by field and vendor', (body, param) => {
    const error = thrownBy(() => encode(body));
    expect(error).toMatchObject({ code: 'unsupported_parameter', param });
    expect((error as Error).message).toContain('vendor');
  });

  test('reports omitted optional fields', () => {
    const target = targetOf({ model: 'gemini-2.0-flash' });
    encode({ user: 'u', parallel_tool_calls: true, store: false, service_tier: 'flex' }, target);
    expect(target.warnings).toEqual(['user left out: vendor has none', 'service_tier left out: vendor has none']);
  });
});
