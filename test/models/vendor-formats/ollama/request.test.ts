import { describe, expect, test } from 'vitest';
import { ollamaChat } from '../../../../src/models/vendor-formats/ollama/chat.ts';
import { ollamaEmbeddings } from '../../../../src/models/vendor-formats/ollama/embeddings.ts';
import type { ChatBody } from '../../../../src/types/chat.ts';
import { targetOf } from '../../target.ts';
import { thrownBy } from '../decode-and-emit.ts';

function encode(body: Partial<ChatBody>, target = targetOf()): Record<string, unknown> {
  const request = { body: { model: 'public', messages: [{ role: 'user', content: 'hi' }], ...body } as ChatBody };
  return JSON.parse(ollamaChat.encodeRequest(request, target).toString()) as Record<string, unknown>;
}

const tool = (name: string) => ({ type: 'function', function: { name, parameters: { type: 'object' } } });

describe('a request to Ollama', () => {
  test('has sampling and memory settings under options, and passes unknown fields', () => {
    expect(
      encode({
        max_tokens: 5,
        stop: 'x',
        seed: 1,
        temperature: 0,
        top_p: 0.5,
        num_ctx: 8192,
        keep_alive: '10m',
        options: { top_k: 3, seed: 2 },
      }),
    ).toEqual({
      model: 'theirs',
      messages: [{ role: 'user', content: 'hi' }],
      stream: false,
      options: { num_predict: 5, stop: ['x'], seed: 2, temperature: 0, top_p: 0.5, num_ctx: 8192, top_k: 3 },
      keep_alive: '10m',
    });
    expect(encode({}, targetOf({ stream: true }))['stream']).toBe(true);
    const request = { body: { model: 'public', messages: [] } };
    expect(ollamaChat.headers?.(targetOf({ stream: true }), request)).toEqual({ accept: 'application/x-ndjson' });
  });

  test('maps response_format to format', () => {
    const schema = { type: 'object', properties: {} };
    expect(encode({ response_format: { type: 'json_object' } })['format']).toBe('json');
    expect(encode({ response_format: { type: 'json_schema', json_schema: { name: 'n', schema } } })['format']).toEqual(schema);
    expect(encode({ response_format: { type: 'text' } })).not.toHaveProperty('format');
  });

  test.each([
    ['qwen3:8b', 'none', false, 0],
    ['qwen3:8b', 'low', true, 0],
    ['gpt-oss:20b', 'medium', 'medium', 0],
    ['gpt-oss:20b', 'max', 'high', 0],
    ['gpt-oss:20b', 'none', 'low', 1],
  ])('maps for %s the effort %s to %j', (model, effort, think, warnings) => {
    const target = targetOf({ model });
    expect(encode({ reasoning_effort: effort }, target)['think']).toBe(think);
    expect(target.warnings).toHaveLength(warnings);
  });

  test("is overridden by Ollama's own think field", () => {
    expect(encode({ reasoning_effort: 'high', think: false })['think']).toBe(false);
  });

  test('has images beside the text, calls as objects and results by name', () => {
    const { messages } = encode({
      messages: [
        { role: 'developer', content: 'short' },
        {
          role: 'user',
          content: [
            { type: 'text', text: 'what?' },
            { type: 'image_url', image_url: { url: 'data:image/png;base64,AAAA' } },
          ],
        },
        {
          role: 'assistant',
          content: null,
          reasoning_content: 'hm',
          tool_calls: [{ id: 'c1', type: 'function', function: { name: 'weather', arguments: '{"city":"Rome"}' } }],
        },
        { role: 'tool', tool_call_id: 'c1', content: 'Error: rain' },
      ],
    });
    expect(messages).toEqual([
      { role: 'system', content: 'short' },
      { role: 'user', content: 'what?', images: ['AAAA'] },
      {
        role: 'assistant',
        content: '',
        thinking: 'hm',
        tool_calls: [{ id: 'c1', function: { name: 'weather', arguments: { city: 'Rome' } } }],
      },
      { role: 'tool', content: 'Error: rain', tool_name: 'weather', tool_call_id: 'c1' },
    ]);
    expect(ollamaChat.pictures).toBe('bytes');
  });

  test('offers the allowed tools', () => {
    const tools = [tool('a'), tool('b')];
    expect(encode({ tools })['tools']).toEqual(tools);
    expect(encode({ tools, tool_choice: 'none' })).not.toHaveProperty('tools');
    const allowed = { type: 'allowed_tools', allowed_tools: { mode: 'auto', tools: [{ type: 'function', function: { name: 'b' } }] } };
    expect(encode({ tools, tool_choice: allowed })['tools']).toEqual([tool('b')]);
  });

  test('requests log probabilities', () => {
    expect(encode({ logprobs: true, top_logprobs: 2 })).toMatchObject({ logprobs: true, top_logprobs: 2 });
    expect(encode({ logprobs: false })).not.toHaveProperty('logprobs');
  });

  test.each([
    [{ n: 2 }, 'n'],
    [{ logit_bias: { '1': 1 } }, 'logit_bias'],
    [{ tools: [tool('a')], tool_choice: 'required' }, 'tool_choice'],
    [{ tools: [{ type: 'custom' }] }, 'tools[0]'],
    [
      { messages: [{ role: 'user', content: [{ type: 'input_audio', input_audio: { data: 'AA', format: 'wav' } }] }] },
      'messages[0].content[0]',
    ],
    [{ messages: [{ role: 'user', content: [{ type: 'file', file: { file_data: 'AA' } }] }] }, 'messages[0].content[0]'],
    [
      { messages: [{ role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://p.example/a.png' } }] }] },
      'messages[0].content[0]',
    ],
  ])('refuses %j by field and vendor', (body, param) => {
    const error = thrownBy(() => encode(body));
    expect(error).toMatchObject({ code: 'unsupported_parameter', param });
    expect((error as Error).message).toContain('vendor');
  });

  test('reports omitted optional fields', () => {
    const target = targetOf();
    encode({ n: 1, user: 'u', parallel_tool_calls: false }, target);
    expect(target.warnings).toEqual(['user left out: vendor has none', 'parallel_tool_calls left out: vendor has none']);
  });
});

describe('embeddings of Ollama', () => {
  const bytes = (body: unknown) => Buffer.from(JSON.stringify(body));

  test('are requested and returned as a list', () => {
    const sent = ollamaEmbeddings.encodeRequest(
      { model: 'm', input: 'a', dimensions: 8, encoding_format: 'float', truncate: false },
      targetOf(),
    );
    expect(JSON.parse(sent.toString())).toEqual({ model: 'theirs', input: ['a'], dimensions: 8, truncate: false });
    expect(ollamaEmbeddings.decodeResponse(bytes({ embeddings: [[1], [2]], prompt_eval_count: 4 }))).toEqual({
      vectors: [[1], [2]],
      usage: { inputTokens: 4, outputTokens: 0 },
    });
    expect(ollamaEmbeddings.decodeResponse(bytes({ embeddings: [[1]] })).usage).toBeNull();
  });

  test('that are missing, or an error, are an error', () => {
    expect(thrownBy(() => ollamaEmbeddings.decodeResponse(bytes({ embeddings: [] })))).toMatchObject({ code: 'upstream_invalid_response' });
    expect(thrownBy(() => ollamaEmbeddings.decodeResponse(bytes({ embeddings: [[]] })))).toMatchObject({
      code: 'upstream_invalid_response',
    });
    expect(thrownBy(() => ollamaEmbeddings.decodeResponse(bytes({ error: 'boom' })))).toMatchObject({ code: 'upstream_error' });
    expect(thrownBy(() => ollamaEmbeddings.encodeRequest({ model: 'm', input: [1] }, targetOf()))).toMatchObject({ param: 'input' });
  });
});
