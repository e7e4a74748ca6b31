import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import ollamaFormat from '../../src/models/vendor-formats/ollama/plugin.ts';
import ollama from '../../src/providers/ollama.ts';
import { completion, dribble, json, type ScriptedVendor, startVendor, streamText } from './scripted-vendor.ts';

let vendor: ScriptedVendor;
beforeAll(async () => {
  vendor = await startVendor(ollamaFormat);
});
afterAll(() => vendor.close());

const deployment = (more: object = {}) => vendor.deployment(ollama, { base_url: `${vendor.base}/v1`, ...more }, 'qwen3:8b');
const said = (message: object, rest: object = {}) =>
  `${JSON.stringify({ model: 'qwen3:8b', message: { role: 'assistant', content: '', ...message }, done: false, ...rest })}\n`;
const done = said({}, { done: true, done_reason: 'stop', prompt_eval_count: 3, eval_count: 4 });

describe('Ollama', () => {
  test('streams JSON lines from its own address, without a credential', async () => {
    let seen: object = {};
    vendor.play((request, response) => {
      seen = { url: request.url, key: request.headers.authorization, accept: request.headers.accept };
      dribble(response, 'application/x-ndjson', said({ thinking: '嗯' }) + said({ content: '你好😊' }) + done);
    });
    const text = await streamText(await vendor.chat(await deployment(), {}, true));
    expect(text).toContain('"content":"你好😊"');
    expect(text).toContain('"reasoning_content":"嗯"');
    expect(text).toContain('"usage":{"prompt_tokens":3,"completion_tokens":4,"total_tokens":7}');
    expect(seen).toEqual({ url: '/api/chat', key: undefined, accept: 'application/x-ndjson' });
  });

  test('answers whole with a tool call, using a bearer token', async () => {
    let key: unknown;
    vendor.play((request, response) => {
      key = request.headers.authorization;
      json(
        response,
        200,
        JSON.parse(said({ tool_calls: [{ function: { name: 'f', arguments: { a: 1 } } }] }, { done: true, done_reason: 'stop' })),
      );
    });
    const answer = await completion(await vendor.chat(await deployment({ api_key: 'k' }), {}, false));
    expect(answer.choices[0]).toMatchObject({
      finish_reason: 'tool_calls',
      message: { tool_calls: [{ function: { arguments: '{"a":1}' } }] },
    });
    expect(key).toBe('Bearer k');
  });

  test('that is interrupted or fails in the middle ends with an error', async () => {
    for (const [rest, code] of [
      ['', 'upstream_interrupted'],
      ['{"error":"out of memory"}\n', 'upstream_error'],
    ] as const) {
      vendor.play((_request, response) => dribble(response, 'application/x-ndjson', said({ content: 'so far' }) + rest));
      await expect(streamText(await vendor.chat(await deployment(), {}, true))).rejects.toMatchObject({ code });
    }
  });

  test.each([
    [404, "model 'x' not found", { code: 'upstream_model_not_found' }],
    [400, '"x" does not support tools', { code: 'unsupported_parameter', param: 'tools' }],
    [400, '"x" does not support thinking', { code: 'unsupported_parameter', param: 'reasoning_effort' }],
    [400, 'the input length exceeds the context length', { code: 'context_length_exceeded' }],
    [400, 'invalid option', { code: 'invalid_request' }],
    [500, 'model requires more system memory', { code: 'upstream_error' }],
    [503, 'server busy, please try again', { code: 'upstream_unavailable' }],
  ])('%i %j is %j', async (status, error, wanted) => {
    vendor.play((_request, response) => json(response, status, { error }));
    await expect(vendor.chat(await deployment(), {}, false)).rejects.toMatchObject(wanted);
  });

  test('embeds', async () => {
    let url: string | undefined;
    vendor.play((request, response) => {
      url = request.url;
      json(response, 200, { embeddings: [[1], [2]], prompt_eval_count: 2 });
    });
    const answer = await vendor.invoker.embeddings(
      await deployment(),
      { model: 'm', input: ['a', 'b'] },
      { signal: new AbortController().signal },
    );
    expect(answer).toMatchObject({ vectors: [[1], [2]], usage: { inputTokens: 2 } });
    expect(url).toBe('/api/embed');
  });
});
