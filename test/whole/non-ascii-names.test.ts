/** Names of any script: models, deployments and warnings come in every client format, streamed or not. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually, startGateway, type TestGateway } from './gateway.ts';
import { answerOk, startVendor, type Vendor } from './vendor.ts';

let gateway: TestGateway;
let vendor: Vendor;

beforeAll(async () => {
  gateway = await startGateway();
  vendor = await startVendor();
  vendor.behave((request, response) => {
    if (request.path.endsWith('/embeddings')) {
      response.writeHead(200, { 'content-type': 'application/json' });
      response.end(
        JSON.stringify({
          object: 'list',
          data: [{ object: 'embedding', index: 0, embedding: [1] }],
          usage: { prompt_tokens: 300, total_tokens: 300 },
        }),
      );
    } else answerOk(request, response);
  });
  const made = async (path: string, body: object) => expect((await gateway.as('admin', 'POST', path, body)).status).toBe(201);
  await made('/api/providers', { name: 'vendor', spec: { kind: 'openai-compatible', options: { base_url: vendor.url } } });
  await made('/api/models', { name: 'foreign', spec: { deployments: [{ provider: 'vendor', model: '通义-müller 🏮' }] } });
  await made('/api/models', {
    name: 'vectors',
    spec: { deployments: [{ provider: 'vendor', model: 'v', limits: { tokens_per_minute: 500 } }], operations: ['embeddings'] },
  });
  await made('/api/limits', { name: 'two', spec: { subject_type: 'user', capability: 'model/foreign', concurrent_calls: 2 } });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await vendor[Symbol.asyncDispose]();
});

const messages = [{ role: 'user', content: 'Hello' }];

it.each([
  ['/v1/chat/completions', { messages }],
  ['/v1/responses', { input: 'Hello' }],
  ['/v1/messages', { messages, max_tokens: 50 }],
])('%s', async (path, body) => {
  for (const stream of [true, false, true, true]) {
    const answer = await gateway.as('developer', 'POST', path, { model: 'foreign', stream, ...body });
    expect(answer.status, answer.text).toBe(200);
    expect(answer.text).toContain('ok');
    const name = answer.headers.get('x-pailou-deployment') ?? '';
    expect(name).toMatch(/^[\x20-\x7e]+$/);
    expect(decodeURIComponent(name)).toBe('foreign#vendor/通义-müller 🏮');
  }
  expect(vendor.requests.at(-1)?.body.model).toBe('通义-müller 🏮');
  const { data } = await eventually(
    async () =>
      (await gateway.as('admin', 'GET', '/api/runs?capability=model/foreign')).json as { data: { outcome: string; deployment: string }[] },
    (runs) => runs.data.length % 4 === 0 && runs.data.length > 0,
  );
  expect(data.every(({ outcome }) => outcome === 'complete')).toBe(true);
  expect(data[0]?.deployment, 'the ledger writes it as it is').toBe('foreign#vendor/通义-müller 🏮');
});

it('a deployment’s tokens count for every operation', async () => {
  const embed = () => gateway.as('developer', 'POST', '/v1/embeddings', { model: 'vectors', input: 'x' });
  expect([(await embed()).status, (await embed()).status]).toEqual([200, 200]);
  const full = await embed();
  expect(full.status).toBe(429);
  expect(Number(full.headers.get('retry-after'))).toBeGreaterThan(10);
});

it.each([
  ['api_key', { api_key: '密钥' }],
  ['api_key', { api_key: 'sk-a\nsk-b' }],
  ['headers.x-org', { headers: { 'x-org': '公司' } }],
])('a secret that no header can carry is refused when it is written: %s', async (field, more) => {
  const spec = { kind: 'openai-compatible', options: { base_url: vendor.url, ...more } };
  const made = await gateway.as('admin', 'POST', '/api/providers', { name: 'wrong', spec });
  expect(made).toMatchObject({ status: 400, json: { error: { param: `spec.options.${field}` } } });
  expect(made.json.error.message).toContain('copy it again');
});

it('white space around a copied key is removed', async () => {
  const spec = { kind: 'openai-compatible', options: { base_url: vendor.url, api_key: ' sk-canary\n' } };
  expect((await gateway.as('admin', 'POST', '/api/providers', { name: 'copied', spec })).status).toBe(201);
  await gateway.as('admin', 'POST', '/api/models', { name: 'copied', spec: { deployments: [{ provider: 'copied', model: 'm' }] } });
  expect((await gateway.as('developer', 'POST', '/v1/chat/completions', { model: 'copied', messages })).status).toBe(200);
  expect(vendor.requests.at(-1)?.headers.authorization).toBe('Bearer sk-canary');
});
