import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import dashscopeFormat from '../../src/models/vendor-formats/dashscope/plugin.ts';
import dashscope from '../../src/providers/dashscope.ts';
import { completion, dribble, json, type ScriptedVendor, startVendor, streamText } from './scripted-vendor.ts';

let vendor: ScriptedVendor;
beforeAll(async () => {
  vendor = await startVendor(dashscopeFormat);
});
afterAll(() => vendor.close());

const options = () => ({ api_key: 'sk-dash', base_url: `${vendor.base}/api/v1` });
const deployment = (model: string, more: object = {}) => vendor.deployment(dashscope, { ...options(), ...more }, model);

const part = (message: object, finish: string, output: number) =>
  `id:1\nevent:result\n:HTTP_STATUS/200\ndata:${JSON.stringify({
    output: { choices: [{ message: { role: 'assistant', content: '', ...message }, finish_reason: finish }] },
    usage: { input_tokens: 4, output_tokens: output },
    request_id: 'r',
  })}\n\n`;
const stream = part({ reasoning_content: '嗯' }, 'null', 1) + part({ content: '你好😊' }, 'null', 2) + part({}, 'stop', 3);

describe('DashScope', () => {
  test('streams over its text address with its own header', async () => {
    let seen: object = {};
    vendor.play((request, response) => {
      seen = {
        url: request.url,
        key: request.headers.authorization,
        sse: request.headers['x-dashscope-sse'],
        body: JSON.parse(request.body) as unknown,
      };
      dribble(response, 'text/event-stream;charset=UTF-8', stream);
    });
    const text = await streamText(await vendor.chat(await deployment('qwen-plus'), {}, true));
    expect(text).toContain('"content":"你好😊"');
    expect(text).toContain('"reasoning_content":"嗯"');
    expect(text).toContain('"usage":{"prompt_tokens":4,"completion_tokens":3,"total_tokens":7}');
    expect(seen).toEqual({
      url: '/api/v1/services/aigc/text-generation/generation',
      key: 'Bearer sk-dash',
      sse: 'enable',
      body: {
        model: 'qwen-plus',
        input: { messages: [{ role: 'user', content: 'hi' }] },
        parameters: { result_format: 'message', incremental_output: true },
      },
    });
  });

  test('answers a non-streaming caller from a model that only streams', async () => {
    let sse: unknown;
    vendor.play((request, response) => {
      sse = request.headers['x-dashscope-sse'];
      dribble(response, 'text/event-stream', stream);
    });
    const answer = await completion(await vendor.chat(await deployment('qwq-plus'), {}, false));
    expect(answer.choices[0]?.message).toMatchObject({ content: '你好😊', reasoning_content: '嗯' });
    expect(answer.usage).toMatchObject({ completion_tokens: 3 });
    expect(sse).toBe('enable');
  });

  test('sends multimodal models to their own address, with all content as parts', async () => {
    let seen: { url?: string | undefined; body?: { input: object } } = {};
    vendor.play((request, response) => {
      seen = { url: request.url, body: JSON.parse(request.body) as { input: object } };
      json(response, 200, {
        output: { choices: [{ message: { role: 'assistant', content: [{ text: 'a cat' }] }, finish_reason: 'stop' }] },
        usage: { input_tokens: 9, output_tokens: 2, input_tokens_details: { image_tokens: 5 } },
      });
    });
    const messages = [
      { role: 'system', content: 'short' },
      { role: 'user', content: [{ type: 'image_url', image_url: { url: 'https://pictures.example/cat.png' } }] },
    ];
    const answer = await completion(await vendor.chat(await deployment('qwen3-vl-plus'), { messages }, false));
    expect(answer.choices[0]?.message['content']).toBe('a cat');
    expect(seen.url).toBe('/api/v1/services/aigc/multimodal-generation/generation');
    expect(seen.body?.input).toEqual({
      messages: [
        { role: 'system', content: [{ text: 'short' }] },
        { role: 'user', content: [{ image: 'https://pictures.example/cat.png' }] },
      ],
    });
    await expect(vendor.chat(await deployment('qwen-plus'), { messages }, false)).rejects.toMatchObject({
      code: 'unsupported_parameter',
      param: 'messages[1].content',
    });
  });

  test.each([
    [401, { code: 'InvalidApiKey', message: 'Invalid API-key provided.' }, 'upstream_authentication'],
    [400, { code: 'Arrearage', message: 'Access denied, please make sure your account is in good standing.' }, 'upstream_quota_exhausted'],
    [403, { code: 'AccessDenied', message: 'x' }, 'upstream_authentication'],
    [404, { code: 'ModelNotFound', message: 'x' }, 'upstream_model_not_found'],
    [400, { code: 'InvalidParameter', message: 'Model not exist.' }, 'upstream_model_not_found'],
    [400, { code: 'InvalidParameter', message: 'Range of input length should be [1, 129024]' }, 'context_length_exceeded'],
    [400, { code: 'InvalidParameter', message: 'top_k is wrong' }, 'invalid_request'],
    [429, { code: 'Throttling.RateQuota', message: 'x' }, 'rate_limited'],
    [429, { code: 'Throttling.AllocationQuota', message: 'x' }, 'rate_limited'],
    [400, { code: 'DataInspectionFailed', message: 'x' }, 'content_filter'],
    [500, { code: 'InternalError.Timeout', message: 'x' }, 'upstream_timeout'],
  ])('%i %j is %s', async (status, body, code) => {
    vendor.play((_request, response) => json(response, status, { ...body, request_id: 'r' }));
    await expect(vendor.chat(await deployment('qwen-plus'), {}, false)).rejects.toMatchObject({ code });
  });

  test('embeds in batches and reranks', async () => {
    const urls: (string | undefined)[] = [];
    vendor.play((request, response) => {
      urls.push(request.url);
      const { input } = JSON.parse(request.body) as { input: { texts?: string[] } };
      const texts = input.texts;
      if (texts === undefined) {
        json(response, 200, { output: { results: [{ index: 1, relevance_score: 0.7 }] }, usage: { total_tokens: 3 } });
        return;
      }
      const embeddings = texts.map((text, text_index) => ({ text_index, embedding: [Number(text)] })).reverse();
      json(response, 200, { output: { embeddings }, usage: { total_tokens: texts.length } });
    });
    const signal = new AbortController().signal;
    const input = Array.from({ length: 23 }, (_, index) => String(index));
    const answer = await vendor.invoker.embeddings(await deployment('text-embedding-v4'), { model: 'm', input }, { signal });
    expect(answer.vectors).toEqual(input.map((text) => [Number(text)]));
    expect(answer.usage).toMatchObject({ inputTokens: 23 });
    expect(urls).toHaveLength(3);
    const ranked = await vendor.invoker.rerank(
      await deployment('gte-rerank-v2'),
      { model: 'm', query: 'q', documents: ['a', 'b'], top_n: 1 },
      { signal },
    );
    expect(ranked.results).toEqual([{ index: 1, score: 0.7 }]);
    expect(urls.at(-1)).toBe('/api/v1/services/rerank/text-rerank/text-rerank');
  });

  test('has an address for each region', async () => {
    const call = { operation: 'chat', model: 'qwen-max', stream: false, warn: () => undefined } as const;
    const abroad = await dashscope.create(dashscope.options.parse({ api_key: 'k', region: 'intl' }), vendor.services);
    expect(abroad.address(call)).toBe('https://dashscope-intl.aliyuncs.com/api/v1/services/aigc/text-generation/generation');
    const listed = await dashscope.create(dashscope.options.parse({ api_key: 'k', multimodal_models: ['qwen-max'] }), vendor.services);
    expect(listed.address(call)).toBe('https://dashscope.aliyuncs.com/api/v1/services/aigc/multimodal-generation/generation');
  });
});
