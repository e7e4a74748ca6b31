import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import geminiFormat from '../../src/models/vendor-formats/gemini/plugin.ts';
import gemini from '../../src/providers/gemini.ts';
import { streamChunks } from '../contract/strict-chat.ts';
import { completion, dribble, json, type ScriptedVendor, startVendor, streamText } from './scripted-vendor.ts';

let vendor: ScriptedVendor;
beforeAll(async () => {
  vendor = await startVendor(geminiFormat);
});
afterAll(() => vendor.close());

const deployment = (model: string) => vendor.deployment(gemini, { api_key: 'AIza-key', base_url: `${vendor.base}/v1beta/` }, model);
const frame = (parts: readonly object[], rest: object = {}) =>
  `data: ${JSON.stringify({ candidates: [{ content: { role: 'model', parts }, ...rest }], responseId: 'r' })}\r\n\r\n`;

describe('Gemini', () => {
  test('streams text, reasoning and calls', async () => {
    let seen: object = {};
    vendor.play((request, response) => {
      seen = { url: request.url, key: request.headers['x-goog-api-key'], authorization: request.headers.authorization };
      dribble(
        response,
        'text/event-stream',
        frame([{ text: '想', thought: true }]) +
          frame([{ text: '好😊' }]) +
          frame([{ functionCall: { name: 'a', args: {} } }]) +
          frame([{ functionCall: { name: 'b', args: { x: 1 } } }]) +
          frame([{ text: '' }], { finishReason: 'STOP' }),
      );
    });
    const text = await streamText(await vendor.chat(await deployment('gemini-2.5-flash'), {}, true));
    expect(text).toContain('"content":"好😊"');
    expect(text).toContain('"reasoning_content":"想"');
    expect(streamChunks(text).findLast(({ choices }) => choices[0] !== undefined)?.choices[0]?.finish_reason).toBe('tool_calls');
    expect(seen).toEqual({
      url: '/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse',
      key: 'AIza-key',
      authorization: undefined,
    });
  });

  test('gets its signature back although the client drops it', async () => {
    const bodies: { contents: { role: string; parts: object[] }[] }[] = [];
    vendor.play((request, response) => {
      bodies.push(JSON.parse(request.body) as (typeof bodies)[number]);
      json(response, 200, {
        candidates: [
          {
            content: { role: 'model', parts: [{ functionCall: { name: 'weather', args: { city: 'Rome' } }, thoughtSignature: 'SIGNED' }] },
            finishReason: 'STOP',
          },
        ],
      });
    });
    const model = await deployment('gemini-3-pro-preview');
    const first = await completion(await vendor.chat(model, {}, false));
    const calls = first.choices[0]?.message['tool_calls'] as { id: string }[];
    const messages = [
      { role: 'user', content: 'hi' },
      { role: 'assistant', content: null, tool_calls: calls },
      { role: 'tool', tool_call_id: calls[0]?.id ?? '', content: 'sunny' },
    ];
    await completion(await vendor.chat(model, { messages }, false));
    expect(bodies[1]?.contents).toEqual([
      { role: 'user', parts: [{ text: 'hi' }] },
      { role: 'model', parts: [{ functionCall: { name: 'weather', args: { city: 'Rome' } }, thoughtSignature: 'SIGNED' }] },
      { role: 'user', parts: [{ functionResponse: { name: 'weather', response: { output: 'sunny' } } }] },
    ]);
  });

  test('omits penalties that a model refuses, with a warning', async () => {
    let config: unknown;
    vendor.play((request, response) => {
      config = (JSON.parse(request.body) as { generationConfig: unknown }).generationConfig;
      json(response, 200, { candidates: [{ content: { parts: [{ text: 'x' }] }, finishReason: 'STOP' }] });
    });
    const invocation = await vendor.chat(await deployment('gemini-2.5-pro'), { presence_penalty: 1, temperature: 0 }, false);
    await completion(invocation);
    expect(invocation.warnings).toEqual(['presence_penalty left out: gemini-2.5-pro has none']);
    expect(config).toEqual({ temperature: 0, thinkingConfig: { includeThoughts: true } });
  });

  const violation = (quotaId: string) => [
    { '@type': 'type.googleapis.com/google.rpc.QuotaFailure', violations: [{ quotaId }] },
    { '@type': 'type.googleapis.com/google.rpc.RetryInfo', retryDelay: '34.4s' },
  ];
  test.each([
    [429, { status: 'RESOURCE_EXHAUSTED', details: violation('RequestsPerMinutePerModel') }, 'rate_limited', 34.4],
    [429, { status: 'RESOURCE_EXHAUSTED', details: violation('RequestsPerDayPerModel') }, 'upstream_quota_exhausted', 34.4],
    [
      400,
      { status: 'INVALID_ARGUMENT', details: [{ '@type': 'type.googleapis.com/google.rpc.ErrorInfo', reason: 'API_KEY_INVALID' }] },
      'upstream_authentication',
      undefined,
    ],
    [
      400,
      { status: 'INVALID_ARGUMENT', message: 'The input token count (9) exceeds the maximum number of tokens allowed (8).' },
      'context_length_exceeded',
      undefined,
    ],
    [400, { status: 'INVALID_ARGUMENT', message: 'Logprobs is not enabled.' }, 'invalid_request', undefined],
    [400, { status: 'FAILED_PRECONDITION', message: 'User location is not supported.' }, 'upstream_error', undefined],
    [403, { status: 'PERMISSION_DENIED', message: 'x' }, 'upstream_authentication', undefined],
    [404, { status: 'NOT_FOUND', message: 'models/x is not found' }, 'upstream_model_not_found', undefined],
    [503, { status: 'UNAVAILABLE', message: 'overloaded' }, 'upstream_unavailable', undefined],
  ])('%i %j is %s', async (status, error, code, retryAfterSeconds) => {
    vendor.play((_request, response) => json(response, status, { error: { code: status, message: 'm', ...error } }));
    await expect(vendor.chat(await deployment('gemini-2.5-flash'), {}, false)).rejects.toMatchObject({ code, retryAfterSeconds });
  });

  test('embeds in batches', async () => {
    const sizes: number[] = [];
    let url: string | undefined;
    vendor.play((request, response) => {
      url = request.url;
      const { requests } = JSON.parse(request.body) as { requests: { content: { parts: { text: string }[] } }[] };
      sizes.push(requests.length);
      json(response, 200, { embeddings: requests.map(({ content }) => ({ values: [Number(content.parts[0]?.text)] })) });
    });
    const input = Array.from({ length: 150 }, (_, index) => String(index));
    const answer = await vendor.invoker.embeddings(
      await deployment('gemini-embedding-001'),
      { model: 'm', input },
      { signal: new AbortController().signal },
    );
    expect(answer.vectors).toEqual(input.map((text) => [Number(text)]));
    expect(sizes.toSorted((one, other) => one - other)).toEqual([50, 100]);
    expect(url).toBe('/v1beta/models/gemini-embedding-001:batchEmbedContents');
  });

  test('addresses tuned models by their own path', async () => {
    const made = (await deployment('tunedModels/my model')).provider.instance;
    const call = { operation: 'chat', model: 'tunedModels/my model', stream: false, warn: () => undefined } as const;
    expect(made.address(call)).toBe(`${vendor.base}/v1beta/tunedModels/my%20model:generateContent`);
  });
});
