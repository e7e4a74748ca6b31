/** Anthropic's own client against the whole gateway, whose vendor speaks OpenAI's format. */
import Anthropic from '@anthropic-ai/sdk';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { checkMessage, checkMessageStream } from '../contract/strict-messages.ts';
import { eventually, startGateway, type TestGateway } from './gateway.ts';
import { chunks, completion, startVendor, type Vendor } from './vendor.ts';

let gateway: TestGateway;
let vendor: Vendor;
let anthropic: Anthropic;

beforeAll(async () => {
  gateway = await startGateway();
  vendor = await startVendor();
  const provider = await gateway.as('admin', 'POST', '/api/providers', {
    name: 'vendor',
    spec: { kind: 'openai-compatible', options: { base_url: vendor.url, api_key: 'vendor-key' } },
  });
  expect(provider.status, provider.text).toBe(201);
  const model = await gateway.as('admin', 'POST', '/api/models', {
    name: 'team/model',
    spec: { deployments: [{ provider: 'vendor', model: 'upstream-1' }] },
  });
  expect(model.status, model.text).toBe(201);
  // Separate names for failing models, because a failed deployment is avoided for a while.
  for (const name of ['busy', 'down']) {
    const other = await gateway.as('admin', 'POST', '/api/models', { name, spec: { deployments: [{ provider: 'vendor', model: name }] } });
    expect(other.status, other.text).toBe(201);
  }
  anthropic = new Anthropic({ baseURL: gateway.url, apiKey: await gateway.token('developer'), maxRetries: 0 });
});

afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await vendor[Symbol.asyncDispose]();
});

const hello = { model: 'team/model', max_tokens: 100, messages: [{ role: 'user' as const, content: 'Hi' }] };
const weather = {
  name: 'weather',
  description: 'The weather of a city.',
  input_schema: { type: 'object' as const, properties: { city: { type: 'string' } } },
};

function answerWhole(...answers: readonly string[]): void {
  let round = 0;
  vendor.behave((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(answers[Math.min(round++, answers.length - 1)]);
  });
}

function delta(given: object, finish: string | null = null): string {
  return `data: ${JSON.stringify({ id: 'v', object: 'chat.completion.chunk', created: 1, model: 'u', choices: [{ index: 0, delta: given, finish_reason: finish }] })}\n\n`;
}

function answerStream(parts: readonly string[]): void {
  vendor.behave((_request, response) => void response.writeHead(200, { 'content-type': 'text/event-stream' }).end(parts.join('')));
}

const usage =
  'data: {"object":"chat.completion.chunk","choices":[],"usage":{"prompt_tokens":20,"completion_tokens":6,"total_tokens":26,"prompt_tokens_details":{"cached_tokens":8}}}\n\n';

describe("Anthropic's client", () => {
  it('gets a whole answer, and the vendor is called in its own format', async () => {
    answerWhole(completion('你好 👋'));
    const answer = await anthropic.messages.create({
      ...hello,
      system: 'Be brief.',
      stop_sequences: ['END'],
      metadata: { user_id: 'u-1' },
    });
    expect(answer.content).toEqual([{ type: 'text', text: '你好 👋' }]);
    expect(answer).toMatchObject({ model: 'team/model', stop_reason: 'end_turn', usage: { input_tokens: 5, output_tokens: 2 } });
    expect(answer._request_id).toMatch(/^[\w.-]+$/);
    expect(checkMessage(answer)).toEqual([]);
    const asked = vendor.requests.at(-1);
    expect(asked?.headers.authorization).toBe('Bearer vendor-key');
    expect(asked?.headers['anthropic-version']).toBeUndefined();
    expect(asked?.body).toMatchObject({
      model: 'upstream-1',
      max_tokens: 100,
      stop: ['END'],
      user: 'u-1',
      messages: [
        { role: 'system', content: 'Be brief.' },
        { role: 'user', content: 'Hi' },
      ],
    });
  });

  it('streams a text with its helper, with the cache counts', async () => {
    answerStream([...chunks(['Hello ', 'there']).slice(0, 4), usage, 'data: [DONE]\n\n']);
    const said: string[] = [];
    const stream = anthropic.messages.stream(hello).on('text', (text) => said.push(text));
    const final = await stream.finalMessage();
    expect(said).toEqual(['Hello ', 'there']);
    expect(await stream.finalText()).toBe('Hello there');
    expect(final.usage).toMatchObject({ input_tokens: 12, cache_read_input_tokens: 8, output_tokens: 6 });
  });

  it('streams parallel calls of tools, sends results and errors back, and gets the final answer', async () => {
    answerStream([
      delta({ role: 'assistant', content: 'I look.' }),
      delta({ tool_calls: [{ index: 0, id: 'c1', type: 'function', function: { name: 'weather', arguments: '' } }] }),
      delta({ tool_calls: [{ index: 0, function: { arguments: '{"city":' } }] }),
      delta({ tool_calls: [{ index: 0, function: { arguments: '"苏州"}' } }] }),
      delta({ tool_calls: [{ index: 1, id: 'c2', type: 'function', function: { name: 'clock', arguments: '' } }] }),
      delta({}, 'stop'),
      usage,
      'data: [DONE]\n\n',
    ]);
    const tools = [weather, { name: 'clock', input_schema: { type: 'object' as const } }];
    const first = await anthropic.messages.stream({ ...hello, tools, tool_choice: { type: 'any' } }).finalMessage();
    expect(first.stop_reason).toBe('tool_use');
    expect(first.content).toMatchObject([
      { type: 'text', text: 'I look.' },
      { type: 'tool_use', id: 'c1', name: 'weather', input: { city: '苏州' } },
      { type: 'tool_use', id: 'c2', name: 'clock', input: {} },
    ]);
    expect(vendor.requests.at(-1)?.body).toMatchObject({
      tool_choice: 'required',
      tools: [{ type: 'function', function: { name: 'weather' } }, {}],
    });
    answerWhole(completion('Rain at noon'));
    const second = await anthropic.messages.create({
      ...hello,
      tools,
      messages: [
        ...hello.messages,
        { role: 'assistant', content: first.content },
        {
          role: 'user',
          content: [
            { type: 'tool_result', tool_use_id: 'c1', content: 'rain' },
            { type: 'tool_result', tool_use_id: 'c2', content: 'stopped', is_error: true },
          ],
        },
      ],
    });
    expect(second.content).toMatchObject([{ type: 'text', text: 'Rain at noon' }]);
    expect(vendor.requests.at(-1)?.body.messages).toEqual([
      { role: 'user', content: 'Hi' },
      {
        role: 'assistant',
        content: 'I look.',
        tool_calls: [
          { id: 'c1', type: 'function', function: { name: 'weather', arguments: '{"city":"苏州"}' } },
          { id: 'c2', type: 'function', function: { name: 'clock', arguments: '{}' } },
        ],
      },
      { role: 'tool', tool_call_id: 'c1', content: 'rain' },
      { role: 'tool', tool_call_id: 'c2', content: 'The tool reports an error: stopped' },
    ]);
  });

  it('runs tools with its own runner to the end', async () => {
    answerWhole(
      completion(
        null,
        { tool_calls: [{ id: 'c1', type: 'function', function: { name: 'weather', arguments: '{"city":"Suzhou"}' } }] },
        'tool_calls',
      ),
      completion('Sunny in Suzhou'),
    );
    const runner = anthropic.beta.messages.toolRunner({
      ...hello,
      tools: [
        {
          ...weather,
          type: 'custom',
          parse: (input: unknown) => input as { city: string },
          run: ({ city }: { city: string }) => `sunny in ${city}`,
        },
      ],
    });
    const final = await runner.runUntilDone();
    expect(final.content).toMatchObject([{ type: 'text', text: 'Sunny in Suzhou' }]);
    expect(vendor.requests.at(-1)?.path).toBe('/v1/chat/completions');
  });

  it('gets the model’s reasoning, and sends it back without an error', async () => {
    answerStream([
      delta({ role: 'assistant', reasoning_content: 'Hm' }),
      delta({ reasoning_content: ', yes.' }),
      delta({ content: 'Yes' }),
      delta({}, 'stop'),
      usage,
      'data: [DONE]\n\n',
    ]);
    const thinking = { type: 'enabled' as const, budget_tokens: 12_000 };
    const first = await anthropic.messages.stream({ ...hello, max_tokens: 16_000, thinking }).finalMessage();
    expect(first.content).toMatchObject([
      { type: 'thinking', thinking: 'Hm, yes.', signature: '' },
      { type: 'text', text: 'Yes' },
    ]);
    expect(vendor.requests.at(-1)?.body).toMatchObject({ reasoning_effort: 'high' });
    expect(vendor.requests.at(-1)?.body).not.toHaveProperty('thinking');
    answerWhole(completion('fine', { reasoning_content: 'unasked' }));
    const messages = [...hello.messages, { role: 'assistant' as const, content: first.content }, ...hello.messages];
    const second = await anthropic.messages.create({ ...hello, messages, thinking: { type: 'disabled' } });
    expect(second.content).toMatchObject([{ type: 'text', text: 'fine' }]);
    expect(vendor.requests.at(-1)?.body.messages[1]).toEqual({ role: 'assistant', content: 'Yes' });
  });

  it('aborts, and the vendor notices at once', async () => {
    const before = vendor.aborts;
    vendor.behave((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(chunks(['one ']).slice(0, 2).join(''));
    });
    const stream = await anthropic.messages.create({ ...hello, stream: true });
    for await (const event of stream) if (event.type === 'content_block_delta') break;
    stream.controller.abort();
    await eventually(
      async () => vendor.aborts,
      (aborts) => aborts === before + 1,
      2_000,
    );
  });

  it('throws when the vendor’s stream is cut, and never returns a partial answer as complete', async () => {
    vendor.behave((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(chunks(['half ']).slice(0, 2).join(''), () => response.destroy());
    });
    const failure: unknown = await anthropic.messages
      .stream(hello)
      .finalMessage()
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Anthropic.APIError);
    expect(failure).toMatchObject({ type: 'api_error', errorCode: 'upstream_interrupted' });
  });

  it('throws its own error classes, with the type, the code and the request id', async () => {
    const wrong = new Anthropic({ baseURL: gateway.url, apiKey: 'nonsense', maxRetries: 0 });
    await expect(wrong.messages.create(hello)).rejects.toMatchObject({
      constructor: Anthropic.AuthenticationError,
      type: 'authentication_error',
      errorCode: 'token_invalid',
      requestID: expect.any(String),
    });
    await expect(anthropic.messages.create({ ...hello, model: 'team/modle' })).rejects.toMatchObject({
      constructor: Anthropic.NotFoundError,
      type: 'not_found_error',
      apiMessage: expect.stringContaining('team/model'),
    });
    const viewer = new Anthropic({ baseURL: gateway.url, apiKey: await gateway.token('viewer'), maxRetries: 0 });
    await expect(viewer.messages.create(hello)).rejects.toMatchObject({
      constructor: Anthropic.PermissionDeniedError,
      type: 'permission_error',
    });
    await expect(anthropic.messages.create({ ...hello, messages: [] })).rejects.toMatchObject({
      constructor: Anthropic.BadRequestError,
      type: 'invalid_request_error',
    });
    vendor.behave(
      (_request, response) => void response.writeHead(429, { 'retry-after': '7' }).end('{"error":{"message":"slow, key sk-123"}}'),
    );
    const limited = (await anthropic.messages.create({ ...hello, model: 'busy' }).catch((error: unknown) => error)) as InstanceType<
      typeof Anthropic.APIError
    >;
    expect(limited).toBeInstanceOf(Anthropic.RateLimitError);
    expect(limited.headers?.get('retry-after')).toBe('7');
    expect(limited.message).not.toContain('sk-123');
    vendor.behave((_request, response) => void response.writeHead(503).end('{}'));
    await expect(anthropic.messages.create({ ...hello, model: 'down' })).rejects.toMatchObject({
      constructor: Anthropic.ServiceUnavailableError,
      type: 'overloaded_error',
    });
  });

  it('is also accepted with a bearer token', async () => {
    answerWhole(completion('in'));
    const bearer = new Anthropic({ baseURL: gateway.url, apiKey: null, authToken: await gateway.token('developer'), maxRetries: 0 });
    expect((await bearer.messages.create(hello)).content).toMatchObject([{ text: 'in' }]);
  });

  it('counts tokens, marked as an estimate', async () => {
    const { data, response } = await anthropic.messages.countTokens({ ...hello, system: 'Be brief.', tools: [weather] }).withResponse();
    expect(data.input_tokens).toBeGreaterThan(10);
    expect(data.input_tokens).toBeLessThan(100);
    expect(response.headers.get('x-pailou-estimated')).toBe('true');
    const source = { type: 'base64' as const, media_type: 'image/png' as const, data: 'iVBORw0KGgo' };
    const seen = await anthropic.messages.countTokens({
      model: 'team/model',
      messages: [{ role: 'user', content: [{ type: 'image', source }] }],
    });
    expect(seen.input_tokens).toBeGreaterThan(1_600);
    await expect(anthropic.messages.countTokens({ ...hello, model: 'nobody' })).rejects.toBeInstanceOf(Anthropic.NotFoundError);
  });

  it('lists and reads models, also with a slash in the name', async () => {
    const names: string[] = [];
    for await (const model of anthropic.models.list()) names.push(model.id);
    expect(names).toContain('team/model');
    expect(await anthropic.models.retrieve('team/model')).toMatchObject({
      type: 'model',
      id: 'team/model',
      created_at: expect.stringMatching(/Z$/),
    });
    await expect(anthropic.models.retrieve('nobody')).rejects.toMatchObject({
      constructor: Anthropic.NotFoundError,
      type: 'not_found_error',
    });
  });

  it('uses beta features by ?beta=true, and gets a warning about unsupported ones', async () => {
    answerWhole(completion('ok'));
    const { data, response } = await anthropic.beta.messages
      .create({ ...hello, betas: ['context-management-2025-06-27'], context_management: { edits: [{ type: 'clear_tool_uses_20250919' }] } })
      .withResponse();
    expect(data.content).toMatchObject([{ text: 'ok' }]);
    expect(response.headers.get('x-pailou-warnings')).toBe('context_management left out: vendor has none');
    expect(response.headers.get('x-pailou-deployment')).toBe('team/model#vendor/upstream-1');
    expect(vendor.requests.at(-1)?.body).not.toHaveProperty('context_management');
    expect(vendor.requests.at(-1)?.headers['anthropic-beta']).toBeUndefined();
  });

  it('gets an error that names a tool which only runs at Anthropic, before the vendor is called', async () => {
    const before = vendor.requests.length;
    await expect(
      anthropic.messages.create({ ...hello, tools: [{ type: 'web_search_20250305', name: 'web_search' }] }),
    ).rejects.toMatchObject({
      constructor: Anthropic.BadRequestError,
      errorCode: 'unsupported_parameter',
      apiMessage: 'tools[0]: vendor has no tool of type web_search_20250305. Leave it out or use another model.',
    });
    expect(vendor.requests.length).toBe(before);
  });
});

describe('the addresses of the Messages format', () => {
  it('answer the probe of Claude Code', async () => {
    const head = await gateway.as(null, 'HEAD', '/');
    expect([head.status, head.text]).toEqual([200, '']);
    expect((await gateway.as(null, 'GET', '/')).json).toEqual({ name: 'Pailou', documentation: '/docs' });
  });

  it("fail in Anthropic's error format, whatever the fault, and all others in OpenAI's", async () => {
    const kind = async (...given: Parameters<TestGateway['as']>) => {
      const answer = await gateway.as(...given);
      expect(answer.json.type, answer.text).toBe('error');
      expect(answer.json.request_id).toBe(answer.headers.get('request-id'));
      expect(answer.text).not.toContain('secret');
      return [answer.status, answer.json.error.type, answer.json.error.details.error_code];
    };
    expect(await kind(null, 'POST', '/v1/messages', hello)).toEqual([401, 'authentication_error', 'token_missing']);
    expect(await kind('user', 'POST', '/v1/messages?beta=true', '{"model":')).toEqual([400, 'invalid_request_error', 'invalid_json']);
    expect(await kind('user', 'POST', '/v1/messages', 'x', { 'content-type': 'text/plain' })).toEqual([
      415,
      'invalid_request_error',
      'unsupported_media_type',
    ]);
    expect(await kind('user', 'GET', '/v1/messages')).toEqual([405, 'invalid_request_error', 'method_not_allowed']);
    expect(await kind('user', 'POST', '/v1/messages/batches', {})).toEqual([404, 'not_found_error', 'not_found']);
    expect(await kind('user', 'POST', '/v1/messages', { ...hello, max_tokens: undefined })).toEqual([
      400,
      'invalid_request_error',
      'invalid_request',
    ]);
    expect((await gateway.as(null, 'POST', '/v1/messagesX', {})).json.type).toBeUndefined();
    expect((await gateway.as(null, 'POST', '/v1/chat/completions', {})).json.error.code).toBe('token_missing');
  });

  it('match the contract in every stream', async () => {
    answerStream(chunks(['天', '地 ', '🐉']));
    const answer = await gateway.as('developer', 'POST', '/v1/messages', { ...hello, stream: true });
    expect(answer.headers.get('content-type')).toMatch(/^text\/event-stream/);
    expect(checkMessageStream(answer.text)).toEqual([]);
  });
});
