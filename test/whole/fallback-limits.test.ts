/** Limits with fallbacks: a fallback needs no second reservation, and usage is counted for each model separately. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually, startGateway, type TestGateway } from './gateway.ts';
import { answerOk, startVendor, type Vendor } from './vendor.ts';

let gateway: TestGateway;
let vendor: Vendor;

beforeAll(async () => {
  gateway = await startGateway();
  vendor = await startVendor();
  vendor.behave((request, response) => {
    if (request.body.model === 'broken') response.writeHead(500).end('{"error":{"message":"no"}}');
    else answerOk(request, response);
  });
  const made = async (path: string, body: object) => expect((await gateway.as('admin', 'POST', path, body)).status).toBe(201);
  await made('/api/providers', { name: 'vendor', spec: { kind: 'openai-compatible', options: { base_url: vendor.url } } });
  const price = { currency: 'USD', input: 0, output: 5_000 };
  const circuit = { failures: 1_000 };
  await made('/api/models', { name: 'second', spec: { deployments: [{ provider: 'vendor', model: 'well', price }] } });
  await made('/api/models', {
    name: 'first',
    spec: {
      deployments: [{ provider: 'vendor', model: 'broken', price }],
      retry: { same: 0 },
      circuit,
      fallbacks: [{ model: 'second', on: ['error', 'overload'] }],
    },
  });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await vendor[Symbol.asyncDispose]();
});
afterEach(async () => {
  for (const { name } of (await gateway.as('admin', 'GET', '/api/limits')).json.data)
    await gateway.as('admin', 'DELETE', `/api/limits/${name}`);
});

const limit = async (name: string, spec: object) => {
  const made = await gateway.as('admin', 'POST', '/api/limits', { name, spec: { subject_type: 'user', ...spec } });
  expect(made.status, made.text).toBe(201);
};
const ask = (model = 'first') =>
  gateway.as('developer', 'POST', '/v1/chat/completions', { model, max_tokens: 2, messages: [{ role: 'user', content: 'Hi' }] });

describe('a fallback', () => {
  it.each([
    // First, while no money was spent yet.
    ['money', { spend: { currency: 'USD', per_day: 0.01 } }],
    ['calls at once', { concurrent_calls: 1 }],
    ['requests', { requests_per_minute: 1 }],
    ['tokens', { tokens_per_minute: 30 }],
  ])('needs only the reservation that the failed model releases: %s', async (_what, spec) => {
    await limit('just-one', spec);
    const answer = await ask();
    expect(answer.status, answer.text).toBe(200);
    expect(answer.headers.get('x-pailou-deployment')).toContain('second');
  });

  it('is counted in its own limits, and no longer in those of the failed model', async () => {
    await limit('of-the-first', { capability: 'model/first', tokens_per_minute: 1_000, concurrent_calls: 1 });
    await limit('of-the-second', { capability: 'model/second', tokens_per_minute: 1_000 });
    const remaining: (string | null)[] = [];
    for (let call = 0; call < 3; call++) {
      const answer = await ask();
      expect(answer.status).toBe(200);
      remaining.push(answer.headers.get('x-ratelimit-remaining-tokens'));
    }
    const left = remaining.map(Number);
    expect(left[0]).toBeGreaterThan(left[2] as number);
    await gateway.as('admin', 'DELETE', '/api/limits/of-the-second');
    const { headers } = await ask();
    expect(Number(headers.get('x-ratelimit-remaining-tokens')), 'nothing stays with the first').toBeGreaterThan(980);
  });

  it('without room keeps the original failure, and the call is counted for the requested model', async () => {
    await limit('none-left', { capability: 'model/second', requests_per_minute: 1 });
    await limit('of-the-first', { capability: 'model/first', requests_per_minute: 3 });
    expect((await ask('second')).status).toBe(200);
    const failed = await ask();
    expect(failed).toMatchObject({ status: 502, json: { error: { code: 'upstream_error' } } });
    expect(failed.headers.get('x-ratelimit-limit-requests')).toBe('3');
    expect([(await ask()).status, (await ask()).status]).toEqual([502, 502]);
    expect((await ask()).status, 'a failing model is no way round its limit').toBe(429);
  });
});

it('images reserve the expected output of the limit, for each requested one', async () => {
  await gateway.as('admin', 'POST', '/api/models', {
    name: 'painter',
    spec: {
      deployments: [{ provider: 'vendor', model: 'paint', price: { currency: 'USD', image_output: 1 } }],
      operations: ['images'],
    },
  });
  vendor.behave(async (_request, response) => {
    await new Promise((resolve) => setTimeout(resolve, 100));
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(
      JSON.stringify({ created: 1, data: [{ b64_json: 'aGk=' }], usage: { input_tokens: 0, output_tokens: 1_000, total_tokens: 1_000 } }),
    );
  });
  await limit('paint', { capability: 'model/painter', spend: { currency: 'USD', per_day: 0.02 } });
  const paint = (n: number) => gateway.as('developer', 'POST', '/v1/images/generations', { model: 'painter', prompt: 'a gate', n });
  const answers = await Promise.all(Array.from({ length: 30 }, () => paint(1)));
  expect(answers.filter(({ status }) => status === 200)).toHaveLength(20);
  const spent = async () =>
    (await gateway.as('admin', 'GET', '/api/usage?by=model')).json.data.find(
      (line: { model: string; currency: string | null }) => line.model === 'painter' && line.currency === 'USD',
    );
  expect(await eventually(spent, (line) => line?.calls === 20)).toMatchObject({ cost: 0.02 });
  await gateway.as('admin', 'DELETE', '/api/limits/paint');
  await limit('two-at-most', { capability: 'model/painter', tokens_per_minute: 2_500 });
  expect((await paint(3)).status).toBe(429);
  expect((await paint(2)).status).toBe(200);
});
