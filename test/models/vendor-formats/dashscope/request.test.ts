import { describe, expect, test } from 'vitest';
import { dashscopeChat } from '../../../../src/models/vendor-formats/dashscope/chat.ts';
import type { ChatBody } from '../../../../src/types/chat.ts';
import type { EncodeTarget } from '../../../../src/types/wire-format.ts';
import { targetOf } from '../../target.ts';
import { thrownBy } from '../decode-and-emit.ts';

interface Sent {
  readonly model: string;
  readonly input: { readonly messages: readonly Record<string, unknown>[] };
  readonly parameters: Record<string, unknown>;
}

function encode(body: Partial<ChatBody>, target: EncodeTarget = targetOf()): Sent {
  const request = { body: { model: 'public', messages: [{ role: 'user', content: 'hi' }], ...body } as ChatBody };
  return JSON.parse(dashscopeChat.encodeRequest(request, target).toString()) as Sent;
}

const tool = { type: 'function', function: { name: 'weather', parameters: { type: 'object', properties: {} } } };

describe('a request to DashScope', () => {
  test('has the conversation under input and all settings, including unknown ones, under parameters', () => {
    const sent = encode({ temperature: 0.5, max_completion_tokens: 9, stop: ['x'], n: 2, enable_search: true, top_k: 3 });
    expect(sent).toEqual({
      model: 'theirs',
      input: { messages: [{ role: 'user', content: 'hi' }] },
      parameters: { temperature: 0.5, max_tokens: 9, stop: ['x'], n: 2, enable_search: true, top_k: 3, result_format: 'message' },
    });
  });

  test('requests incremental parts, and a stream by header', () => {
    expect(encode({}, targetOf({ stream: true })).parameters).toEqual({ result_format: 'message', incremental_output: true });
    const request = { body: { model: 'public', messages: [] } };
    expect(dashscopeChat.headers?.(targetOf({ stream: true }), request)).toEqual({ 'x-dashscope-sse': 'enable' });
    expect(dashscopeChat.headers?.(targetOf(), request)).toEqual({});
  });

  test.each([
    ['none', { enable_thinking: false }],
    ['low', { enable_thinking: true, thinking_budget: 2048 }],
    ['max', { enable_thinking: true }],
  ])('maps the effort %s to enable_thinking', (effort, wanted) => {
    expect(encode({ reasoning_effort: effort }).parameters).toMatchObject(wanted);
  });

  test("is overridden by the vendor's own field", () => {
    expect(encode({ reasoning_effort: 'high', thinking_budget: 7 }).parameters).toMatchObject({
      enable_thinking: true,
      thinking_budget: 7,
    });
  });

  test('clamps top_p and temperature and reports it', () => {
    const target = targetOf();
    expect(encode({ top_p: 1, temperature: 2 }, target).parameters).toMatchObject({ top_p: 0.999999, temperature: 1.99 });
    expect(target.warnings).toEqual([
      'temperature 2 changed to 1.99: vendor takes 0 to 1.99',
      'top_p 1 changed to 0.999999: vendor takes 0.000001 to 0.999999',
    ]);
  });

  test('omits optional fields with a warning and refuses fields that would change the answer', () => {
    const target = targetOf();
    encode({ frequency_penalty: 1, user: 'u', store: true }, target);
    expect(target.warnings).toEqual([
      'frequency_penalty left out: vendor has none',
      'user left out: vendor has none',
      'store left out: vendor has none',
    ]);
    expect(thrownBy(() => encode({ logit_bias: { '1': 5 } }))).toMatchObject({ code: 'unsupported_parameter', param: 'logit_bias' });
    expect(thrownBy(() => encode({ modalities: ['audio'] }))).toMatchObject({ code: 'unsupported_parameter', param: 'modalities' });
    expect(encode({ modalities: ['text'], logit_bias: null, functions: [] }).parameters).toEqual({ result_format: 'message' });
  });

  test('contains tools, the tool choice and the turns that used them', () => {
    const sent = encode({
      tools: [tool],
      tool_choice: { type: 'function', function: { name: 'weather' } },
      parallel_tool_calls: false,
      messages: [
        {
          role: 'developer',
          content: [
            { type: 'text', text: 'be ' },
            { type: 'text', text: 'brief' },
          ],
        },
        {
          role: 'assistant',
          content: null,
          refusal: null,
          reasoning_content: 'hm',
          reasoning_details: [{ type: 'x' }],
          tool_calls: [{ id: 'c1', type: 'function', function: { name: 'weather', arguments: '{"a":1}' } }],
        },
        { role: 'tool', tool_call_id: 'c1', content: 'Error: no such city' },
      ],
    });
    expect(sent.input.messages).toEqual([
      { role: 'system', content: 'be brief' },
      {
        role: 'assistant',
        content: '',
        reasoning_content: 'hm',
        tool_calls: [{ id: 'c1', type: 'function', index: 0, function: { name: 'weather', arguments: '{"a":1}' } }],
      },
      { role: 'tool', tool_call_id: 'c1', content: 'Error: no such city' },
    ]);
    expect(sent.parameters).toMatchObject({
      tools: [tool],
      tool_choice: { type: 'function', function: { name: 'weather' } },
      parallel_tool_calls: false,
    });
  });

  test('offers only the allowed tools, and cannot force any one of them', () => {
    const other = { type: 'function', function: { name: 'time' } };
    const choice = { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [{ type: 'function', function: { name: 'time' } }] } };
    expect(encode({ tools: [tool, other], tool_choice: choice }).parameters).toMatchObject({ tools: [other], tool_choice: 'auto' });
    expect(thrownBy(() => encode({ tools: [tool], tool_choice: 'required' }))).toMatchObject({
      code: 'unsupported_parameter',
      param: 'tool_choice',
    });
    expect(thrownBy(() => encode({ tools: [{ type: 'custom', custom: { name: 'x' } }] }))).toMatchObject({ param: 'tools[0]' });
  });

  test('writes images, video and audio as parts, by URL or inline', () => {
    const content = [
      { type: 'text', text: 'what?' },
      { type: 'image_url', image_url: { url: 'https://pictures.example/a.png' } },
      { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
      { type: 'video_url', video_url: { url: 'https://pictures.example/a.mp4' } },
      { type: 'video', video: ['https://pictures.example/1.jpg'] },
      { type: 'input_audio', input_audio: { data: 'BBBB', format: 'mp3' } },
      { image: 'https://pictures.example/native.png' },
    ];
    expect(encode({ messages: [{ role: 'user', content }] }).input.messages[0]?.['content']).toEqual([
      { text: 'what?' },
      { image: 'https://pictures.example/a.png' },
      { image: 'data:image/png;base64,AAAA' },
      { video: 'https://pictures.example/a.mp4' },
      { video: ['https://pictures.example/1.jpg'] },
      { audio: 'data:audio/mpeg;base64,BBBB' },
      { image: 'https://pictures.example/native.png' },
    ]);
  });

  test.each([
    [{ type: 'file', file: { file_data: 'data:application/pdf;base64,AAAA' } }, 'messages[0].content[0]'],
    [{ type: 'hologram' }, 'messages[0].content[0]'],
  ])('refuses the part %j', (part, param) => {
    const error = thrownBy(() => encode({ messages: [{ role: 'user', content: [part] }] }));
    expect(error).toMatchObject({ code: 'unsupported_parameter', param });
    expect((error as Error).message).toContain('vendor');
  });

  test('passes response_format, and is adjusted by the dialect last', () => {
    const form = { type: 'json_schema', json_schema: { name: 'x', schema: { type: 'object' } } };
    expect(encode({ response_format: form }).parameters['response_format']).toEqual(form);
    expect(encode({ response_format: { type: 'text' } }).parameters).toEqual({ result_format: 'message' });
    expect(thrownBy(() => encode({ response_format: { type: 'grammar' } }))).toMatchObject({ param: 'response_format' });
    expect(encode({}, targetOf({ adjust: (body) => ({ ...body, odd: 1 }) }))).toMatchObject({ odd: 1 });
  });
});
