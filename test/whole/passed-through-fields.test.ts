/** Fields of callers and administrators reach the vendor or are refused by name; unusual answers of vendors are read. */
import OpenAI from 'openai';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually, startGateway, type TestGateway } from './gateway.ts';
import { completion, startVendor, type Vendor } from './vendor.ts';

let gateway: TestGateway;
let vendor: Vendor;
let openai: OpenAI;
const asked = { messages: [{ role: 'user' as const, content: 'Hello' }] };

beforeAll(async () => {
  gateway = await startGateway();
  vendor = await startVendor();
  openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: await gateway.token('developer'), maxRetries: 0 });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await vendor[Symbol.asyncDispose]();
});

/** A model named after its provider. */
async function make(name: string, kind: string, options: object, operations = ['chat']): Promise<string> {
  const provider = await gateway.as('admin', 'POST', '/api/providers', { name, spec: { kind, options } });
  expect(provider.status, provider.text).toBe(201);
  const spec = { operations, deployments: [{ provider: name, model: 'theirs' }] };
  const model = await gateway.as('admin', 'POST', '/api/models', { name: `small/${name}`, spec });
  expect(model.status, model.text).toBe(201);
  return `small/${name}`;
}

function answers(body: string | object): void {
  vendor.behave((_request, response) => {
    response.writeHead(200, { 'content-type': 'application/json' }).end(typeof body === 'string' ? body : JSON.stringify(body));
  });
}

const last = () => vendor.requests.at(-1);
const origin = (): string => vendor.url.replace('/v1', '');

it.each([
  ['openai-compatible', '/v1', '/v1/chat/completions?tenant=a%20b', {}],
  ['anthropic', '', '/v1/messages?tenant=a%20b', { api_key: 'key' }],
  ['ollama', '', '/api/chat?tenant=a%20b', {}],
  ['dashscope', '', '/api/v1/services/aigc/text-generation/generation?tenant=a%20b', { api_key: 'key' }],
  ['gemini', '/v1beta', '/v1beta/models/theirs:generateContent?tenant=a%20b', { api_key: 'key' }],
  ['azure', '/proxy', '/proxy/openai/v1/chat/completions?tenant=a%20b', { api_key: 'key' }],
])('a query in the address of a %s provider is sent with every call, after its path', async (kind, path, wanted, more) => {
  const model = await make(`query-${kind}`, kind, { base_url: `${origin()}${path}?tenant=a%20b`, ...more });
  answers({ error: { message: 'enough' } });
  await expect(openai.chat.completions.create({ model, ...asked })).rejects.toThrow();
  expect(last()?.path).toBe(wanted);
});

it('azure keeps the path of a proxy before its own, also with a version', async () => {
  const options = { base_url: `${origin()}/team/openai/`, api_key: 'key', api_version: '2024-10-21' };
  const model = await make('azure-version', 'azure', options);
  answers(completion('ok'));
  await openai.chat.completions.create({ model, ...asked });
  expect(last()?.path).toBe('/team/openai/deployments/theirs/chat/completions?api-version=2024-10-21');
});

it('a whole answer with a byte order mark is read', async () => {
  const model = await make('marked', 'openai-compatible', { base_url: vendor.url }, ['chat', 'embeddings', 'rerank']);
  answers(`\ufeff${completion('ok')}`);
  expect((await openai.chat.completions.create({ model, ...asked })).choices[0]?.message.content).toBe('ok');
  answers(`\ufeff${JSON.stringify({ data: [{ index: 0, embedding: [1, 2] }] })}`);
  expect((await gateway.as('developer', 'POST', '/v1/embeddings', { model, input: 'x' })).status).toBe(200);
  answers(`\ufeff${JSON.stringify({ results: [{ index: 0, relevance_score: 1 }] })}`);
  expect((await gateway.as('developer', 'POST', '/v1/rerank', { model, query: 'x', documents: ['y'] })).status).toBe(200);
});

it('a mistyped role is refused by name, and a role of one vendor is sent to no other format', async () => {
  const model = await make('roles', 'openai-compatible', { base_url: vendor.url });
  const say = (role: string, to = model) => openai.chat.completions.create({ model: to, messages: [{ role, content: 'x' } as never] });
  answers(completion('ok'));
  await expect(say('usr')).rejects.toMatchObject({ status: 400, param: 'messages[0].role', message: expect.stringContaining('user') });
  await say('cache');
  expect(last()?.body.messages[0].role).toBe('cache');
  const other = await make('roles-elsewhere', 'anthropic', { base_url: origin(), api_key: 'key' });
  await expect(say('cache', other)).rejects.toMatchObject({ status: 400, code: 'unsupported_parameter', param: 'messages[0].role' });
});

it('Ollama’s output is counted when it reports no count of a cached prompt: the input is estimated', async () => {
  const model = await make('cached', 'ollama', { base_url: origin() });
  answers({ model: 'theirs', message: { role: 'assistant', content: 'ok' }, done: true, done_reason: 'stop', eval_count: 41 });
  const { usage } = await openai.chat.completions.create({ model, ...asked });
  expect(usage).toMatchObject({ completion_tokens: 41, estimated: true });
  expect(usage?.prompt_tokens).toBeGreaterThan(0);
  await eventually(
    async () => (await gateway.as('developer', 'GET', '/api/runs?limit=5')).json.data as { usage: { output_tokens: number } | null }[],
    (runs) => runs.some((run) => run.usage?.output_tokens === 41),
  );
});

it("a web search is sent to Anthropic as its own tool, beside the caller's", async () => {
  const model = await make('searching', 'anthropic', { base_url: origin(), api_key: 'key' });
  const message = { id: 'm', type: 'message', role: 'assistant', model: 'x', content: [{ type: 'text', text: 'ok' }] };
  answers({ ...message, stop_reason: 'end_turn', usage: { input_tokens: 1, output_tokens: 1 } });
  const web_search_options = { user_location: { type: 'approximate' as const, approximate: { city: 'Suzhou', country: 'CN' } } };
  await openai.chat.completions.create({ model, ...asked, web_search_options });
  const search = { type: 'web_search_20250305', name: 'web_search', user_location: { type: 'approximate', city: 'Suzhou', country: 'CN' } };
  expect(last()?.body.tools).toEqual([search]);
  const tools = [{ type: 'function' as const, function: { name: 'f', parameters: {} } }];
  await openai.chat.completions.create({ model, ...asked, web_search_options, tools });
  expect(last()?.body.tools).toEqual([expect.objectContaining({ name: 'f' }), search]);
});

it("Google's own fields in extra_body reach Gemini where its format has them", async () => {
  const model = await make('extra', 'gemini', { base_url: `${origin()}/v1beta`, api_key: 'key' });
  answers({ candidates: [{ content: { parts: [{ text: 'ok' }] }, finishReason: 'STOP' }] });
  const google = {
    thinking_config: { thinking_budget: 0, include_thoughts: false },
    cached_content: 'cachedContents/1',
    image_config: { aspect_ratio: '1:1' },
  };
  await openai.chat.completions.create({ model, ...asked, extra_body: { google } } as never);
  expect(last()?.body).toMatchObject({
    cachedContent: 'cachedContents/1',
    generationConfig: { thinkingConfig: { thinkingBudget: 0, includeThoughts: false }, imageConfig: { aspectRatio: '1:1' } },
  });
  expect(last()?.body.extra_body).toBeUndefined();
});
