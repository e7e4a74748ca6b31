/** Limits and budgets on one node, seen by callers: refused in time, settled by actual usage, never overrun. */
import Anthropic from '@anthropic-ai/sdk';
import OpenAI from 'openai';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { eventually, startGateway, type TestGateway } from './gateway.ts';
import { answerOk, startVendor, type Vendor } from './vendor.ts';

let gateway: TestGateway;
let vendor: Vendor;

/** Two output tokens cost 0.01: the vendor always answers two. */
const price = { currency: 'USD', input: 0, output: '5000' };

beforeAll(async () => {
  gateway = await startGateway();
  vendor = await startVendor();
  await gateway.as('admin', 'POST', '/api/providers', {
    name: 'vendor',
    spec: { kind: 'openai-compatible', options: { base_url: vendor.url } },
  });
  const deployment = { provider: 'vendor', model: 'up' };
  for (const [name, spec] of Object.entries({
    priced: { deployments: [{ ...deployment, price }] },
    purse: { deployments: [{ ...deployment, price }] },
    'team/small': { deployments: [{ ...deployment, price }], tags: ['cheap'] },
    parts: { deployments: [{ ...deployment, price }] },
    free: { deployments: [deployment] },
    vectors: { deployments: [deployment], operations: ['embeddings'] },
  }))
    expect((await gateway.as('admin', 'POST', '/api/models', { name, spec })).status).toBe(201);
  await gateway.as('admin', 'POST', '/api/grants', {
    spec: { subject_type: 'role', subject: 'user', capability: 'model/*', action: 'use' },
  });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await vendor[Symbol.asyncDispose]();
});
afterEach(async () => {
  vendor.behave((request, response) => answerOk(request, response));
  const { data } = (await gateway.as('admin', 'GET', '/api/limits')).json;
  for (const { name } of data) expect((await gateway.as('admin', 'DELETE', `/api/limits/${name}`)).status).toBe(204);
});

const limit = async (name: string, spec: object) => {
  const made = await gateway.as('admin', 'POST', '/api/limits', { name, spec });
  expect(made.status, made.text).toBe(201);
  return made;
};
const body = (model: string, more: object = {}) => ({ model, messages: [{ role: 'user', content: 'Hi' }], ...more });
const ask = (who: 'user' | 'developer', model: string, more: object = {}) =>
  gateway.as(who, 'POST', '/v1/chat/completions', body(model, more));
const statuses = (answers: readonly { status: number }[]): number[] => answers.map(({ status }) => status);

describe('a limit of requests a minute', () => {
  it('refuses the first call above the limit with 429, says how long to wait, and reports the remaining calls to OpenAI clients', async () => {
    await limit('two-a-minute', { subject_type: 'user', requests_per_minute: 2 });
    const first = await ask('user', 'free');
    expect(Object.fromEntries([...first.headers].filter(([name]) => name.startsWith('x-ratelimit')))).toEqual({
      'x-ratelimit-limit-requests': '2',
      'x-ratelimit-remaining-requests': '1',
      'x-ratelimit-reset-requests': expect.stringMatching(/^(\d+m)?\d+(\.\d)?s$/),
    });
    expect((await ask('user', 'free')).headers.get('x-ratelimit-remaining-requests')).toBe('0');
    const asked = vendor.requests.length;
    const refused = await ask('user', 'free', { stream: true });
    expect(refused.status).toBe(429);
    expect(refused.json.error).toMatchObject({
      code: 'rate_limited',
      type: 'rate_limit_error',
      message: expect.stringContaining('"two-a-minute" allows 2 requests a minute'),
    });
    expect(Number(refused.headers.get('retry-after'))).toBeGreaterThan(0);
    expect(refused.headers.get('x-ratelimit-remaining-requests')).toBe('0');
    expect(vendor.requests.length, 'the vendor never sees it').toBe(asked);
    expect((await ask('developer', 'free')).status, 'everybody has their own').toBe(200);
    expect((await gateway.as('admin', 'GET', '/metrics')).text).toContain(
      'pailou_limit_refusals_total{limit="two-a-minute",measure="requests"} 1',
    );
    const [latest] = await eventually(
      async () => (await gateway.as('admin', 'GET', '/api/runs?limit=5')).json.data as { error: string | null }[],
      (runs) => runs.some(({ error }) => error !== null),
    );
    expect(latest).toBeDefined();
  });

  it('counts the whole tenant, a role together, one model, a tag, or a pattern, as configured', async () => {
    await limit('all', { subject_type: 'tenant', capability: 'model/free', requests_per_minute: 2 });
    await limit('users', { subject_type: 'role', subject: 'user', shared: true, capability: 'model/#cheap', requests_per_minute: 1 });
    await limit('priced', { subject_type: 'user', subject: 'developer', capability: 'model/pri*', requests_per_minute: 1 });
    expect(statuses([await ask('user', 'free'), await ask('developer', 'free'), await ask('user', 'free')])).toEqual([200, 200, 429]);
    expect(statuses([await ask('user', 'team/small'), await ask('user', 'team/small'), await ask('developer', 'team/small')])).toEqual([
      200, 429, 200,
    ]);
    expect(statuses([await ask('developer', 'priced'), await ask('developer', 'priced'), await ask('user', 'priced')])).toEqual([
      200, 429, 200,
    ]);
  });

  it('can count each model separately, and keeps its count when only its amount changes', async () => {
    await limit('each', { subject_type: 'user', per_model: true, requests_per_minute: 1 });
    expect(statuses([await ask('user', 'free'), await ask('user', 'priced'), await ask('user', 'free')])).toEqual([200, 200, 429]);
    const spec = { subject_type: 'user', per_model: true, requests_per_minute: 2 };
    expect((await gateway.as('admin', 'PUT', '/api/limits/each', { spec })).status).toBe(200);
    expect(statuses([await ask('user', 'free'), await ask('user', 'free')])).toEqual([200, 429]);
  });

  it('holds on every route and in every client format, with errors in the format’s own shape', async () => {
    await limit('none-left', { subject_type: 'user', requests_per_minute: 1 });
    await ask('user', 'free');
    const token = await gateway.token('user');
    const openai = new OpenAI({ baseURL: `${gateway.url}/v1`, apiKey: token, maxRetries: 0 });
    await expect(openai.chat.completions.create(body('free') as never)).rejects.toBeInstanceOf(OpenAI.RateLimitError);
    await expect(openai.responses.create({ model: 'free', input: 'Hi' })).rejects.toBeInstanceOf(OpenAI.RateLimitError);
    await expect(openai.embeddings.create({ model: 'vectors', input: 'Hi' })).rejects.toBeInstanceOf(OpenAI.RateLimitError);
    const anthropic = new Anthropic({ baseURL: gateway.url, authToken: token, apiKey: null, maxRetries: 0 });
    const failure: unknown = await anthropic.messages
      .create({ model: 'free', max_tokens: 5, messages: [{ role: 'user', content: 'Hi' }] })
      .catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(Anthropic.RateLimitError);
    expect((failure as InstanceType<typeof Anthropic.RateLimitError>).error).toMatchObject({ error: { type: 'rate_limit_error' } });
  });
});

describe('a limit of tokens a minute', () => {
  it('reserves the largest usage and counts the actual one', async () => {
    await limit('tokens', { subject_type: 'user', tokens_per_minute: 30, expected_output_tokens: 10 });
    // The vendor counts 7 for each; before that about 9 of input and 10 of output are reserved.
    expect(statuses([await ask('user', 'free'), await ask('user', 'free')])).toEqual([200, 200]);
    const refused = await ask('user', 'free');
    expect(refused).toMatchObject({ status: 429, json: { error: { message: expect.stringContaining('30 tokens a minute') } } });
    expect(refused.headers.get('x-ratelimit-remaining-tokens')).toBe('16');
    expect((await ask('user', 'free', { max_tokens: 5 })).status, 'a smaller one fits').toBe(200);
    const tooLarge = await ask('user', 'free', { max_tokens: 1_000 });
    expect(tooLarge).toMatchObject({ status: 429, json: { error: { message: expect.stringContaining('set max_tokens lower') } } });
    expect(tooLarge.headers.get('retry-after'), 'waiting would not help').toBeNull();
  });
});

describe('a limit of concurrent calls', () => {
  it('releases the place however the call ends', async () => {
    await limit('two', { subject_type: 'user', concurrent_calls: 2 });
    const refused = Promise.withResolvers<void>();
    vendor.behave(async (request, response) => {
      await refused.promise;
      answerOk(request, response);
    });
    let refusals = 0;
    const many = await Promise.all(
      Array.from({ length: 5 }, async () => {
        const answer = await ask('user', 'free');
        if (answer.status === 429 && ++refusals === 3) refused.resolve();
        return answer;
      }),
    );
    expect(statuses(many).toSorted((one, other) => one - other)).toEqual([200, 200, 429, 429, 429]);
    vendor.behave((_request, response) => void response.writeHead(500).end());
    expect((await ask('user', 'free')).status).toBe(502);
    vendor.behave(() => {});
    const patience = new AbortController();
    const token = await gateway.token('user');
    const leaving = [0, 1].map(() =>
      fetch(`${gateway.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
        body: JSON.stringify(body('free')),
        signal: patience.signal,
      }).catch(() => null),
    );
    await eventually(
      async () => (await ask('user', 'free')).status,
      (status) => status === 429,
    );
    patience.abort();
    await Promise.all(leaving);
    vendor.behave((request, response) => answerOk(request, response));
    await eventually(
      async () => (await ask('user', 'free')).status,
      (status) => status === 200,
    );
  });
});

describe('a budget', () => {
  const spent = async (who: string, model = 'priced'): Promise<number> => {
    const { data } = (await gateway.as('admin', 'GET', '/api/runs?limit=500')).json as {
      data: { subject: string; cost: number | null; capability: string }[];
    };
    return data
      .filter(({ subject, capability }) => subject === who && capability === `model/${model}`)
      .reduce((sum, { cost }) => sum + (cost ?? 0), 0);
  };

  it('of 1.00 is not overrun by 200 parallel calls of 0.01, and keeps its state after a restart', async () => {
    // A model without earlier calls: the new limit has nothing to read from the ledger.
    await limit('purse', {
      subject_type: 'user',
      subject: 'developer',
      capability: 'model/purse',
      spend: { currency: 'USD', per_day: 1, per_month: '10.00' },
    });
    vendor.behave(async (request, response) => {
      await sleep(20);
      answerOk(request, response);
    });
    const asked = vendor.requests.length;
    const answers = await Promise.all(Array.from({ length: 200 }, () => ask('developer', 'purse', { max_tokens: 2 })));
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(100);
    expect(vendor.requests.length - asked).toBe(100);
    const refused = answers.find(({ status }) => status === 429);
    expect(refused?.json.error).toMatchObject({
      code: 'budget_exhausted',
      type: 'insufficient_quota',
      message: expect.stringMatching(/"purse" allows [\d.]+ USD a day\. It is used up until \d{4}-/),
    });
    expect(refused?.headers.get('x-should-retry'), 'clients need not try again').toBe('false');
    expect(
      await eventually(
        () => spent('developer', 'purse'),
        (sum) => sum >= 0.999_999,
      ),
    ).toBeCloseTo(1, 9);
    expect((await ask('developer', 'purse', { max_tokens: 2 })).status).toBe(429);

    await gateway.gateway.close(2_000);
    const again = await startGateway({ ...gateway.env });
    gateway = again;
    expect((await ask('developer', 'purse', { max_tokens: 2 })).json.error.code, 'the ledger knows').toBe('budget_exhausted');
    expect((await ask('developer', 'free')).status).toBe(200);
  });

  it('counts earlier spend from the ledger for a new limit', async () => {
    const last = (await ask('user', 'priced')).headers.get('x-pailou-trace-id');
    // Runs are written in the order of their ends: with the last one the sum is complete.
    await eventually(
      () => gateway.as('admin', 'GET', `/api/runs/${last}`),
      ({ status }) => status === 200,
    );
    const known = await spent('user');
    expect(known).toBeGreaterThan(0);
    await limit('late', {
      subject_type: 'user',
      subject: 'user',
      capability: 'model/priced',
      spend: { currency: 'USD', per_month: known + 0.01 },
    });
    await eventually(
      async () => (await ask('user', 'priced', { max_tokens: 2 })).status,
      (status) => status === 429,
    );
    expect(await spent('user')).toBeLessThanOrEqual(known + 0.020_001);
  });

  it('records the delivered part of an answer after a disconnect, and nothing for a failed one', async () => {
    await limit('part', { subject_type: 'tenant', capability: 'model/parts', spend: { currency: 'USD', per_day: '0.10' } });
    vendor.behave((_request, response) => void response.writeHead(500).end());
    // Each reserves 0.05; two at once would not fit if the first failure were not given back.
    for (let call = 0; call < 3; call++) expect((await ask('user', 'parts', { max_tokens: 10 })).status).toBe(502);
    vendor.behave((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(
        `data: ${JSON.stringify({ id: 'v', object: 'chat.completion.chunk', created: 1, model: 'up', choices: [{ index: 0, delta: { role: 'assistant', content: 'one two three four five six seven eight' }, finish_reason: null }] })}\n\n`,
      );
    });
    const patience = new AbortController();
    const answer = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await gateway.token('user')}`, 'content-type': 'application/json' },
      body: JSON.stringify(body('parts', { stream: true, max_tokens: 18 })),
      signal: patience.signal,
    });
    const reader = answer.body?.getReader();
    await reader?.read();
    patience.abort();
    vendor.behave((request, response) => answerOk(request, response));
    // Eight words are about eight tokens: about 0.04 of the reserved 0.09.
    await eventually(
      async () => (await ask('user', 'parts', { max_tokens: 10 })).status,
      (status) => status === 200,
    );
    const full = await ask('user', 'parts', { max_tokens: 12 });
    expect(full.json.error.code).toBe('budget_exhausted');
  });

  it('refuses a model without a price in its currency, unless configured otherwise', async () => {
    await limit('strict', { subject_type: 'user', spend: { currency: 'USD', per_day: 1000 } });
    const refused = await ask('user', 'free');
    expect(refused).toMatchObject({ status: 403, json: { error: { code: 'price_unknown', param: 'model' } } });
    expect(refused.json.error.message).toContain('no price in USD');
    await gateway.as('admin', 'PUT', '/api/limits/strict', {
      spec: { subject_type: 'user', unknown_price: 'allow', spend: { currency: 'USD', per_day: 1000 } },
    });
    expect((await ask('user', 'free')).status).toBe(200);
  });
});

describe('limits and fallbacks', () => {
  it('count the model that answers; a caller without budget for the fallback gets the original failure', async () => {
    const spec = {
      deployments: [{ provider: 'vendor', model: 'broken', price }],
      retry: { same: 0 },
      fallbacks: [{ on: ['error'], model: 'team/small' }],
    };
    await gateway.as('admin', 'POST', '/api/models', { name: 'first', spec });
    vendor.behave((request, response) => {
      if (request.body.model === 'broken') response.writeHead(500).end();
      else answerOk(request, response);
    });
    await limit('first', { subject_type: 'user', capability: 'model/first', spend: { currency: 'USD', per_day: 0.01 } });
    await limit('second', { subject_type: 'user', capability: 'model/team/small', requests_per_minute: 2 });
    for (let call = 0; call < 2; call++) {
      const answer = await ask('user', 'first', { max_tokens: 2 });
      expect(answer.status, 'nothing was spent at the first model').toBe(200);
      expect(answer.headers.get('x-pailou-deployment')).toBe('team/small#vendor/up');
    }
    expect(await ask('user', 'first', { max_tokens: 2 })).toMatchObject({ status: 502, json: { error: { code: 'upstream_error' } } });
  });
});

describe('the limits of the configuration', () => {
  it('are for administrators, and refused with the invalid field', async () => {
    expect((await gateway.as('developer', 'GET', '/api/limits')).status).toBe(403);
    expect(
      (await gateway.as('developer', 'POST', '/api/limits', { name: 'x', spec: { subject_type: 'tenant', requests_per_minute: 1 } }))
        .status,
    ).toBe(403);
    const wrong = async (spec: object) => (await gateway.as('admin', 'POST', '/api/limits', { name: 'x', spec })).json.error;
    expect((await wrong({ subject_type: 'tenant' })).message).toContain('at least one of requests_per_minute');
    expect((await wrong({ subject_type: 'role', requests_per_minute: 1 })).message).toContain('name the role');
    expect((await wrong({ subject_type: 'tenant', subject: 'a', requests_per_minute: 1 })).message).toContain('leave it out');
    expect((await wrong({ subject_type: 'user', spend: { currency: 'USD' } })).message).toContain('per_day, per_week, per_month and total');
    expect((await wrong({ subject_type: 'team', subject: 'a\u0000b', requests_per_minute: 1 })).param).toBe('spec.subject');
    expect((await wrong({ subject_type: 'user', replaces: 'x', requests_per_minute: 1 })).param).toBe('spec.replaces');
    expect((await wrong({ subject_type: 'user', requests_per_minute: 0 })).param).toContain('requests_per_minute');
    expect((await wrong({ subject_type: 'user', capability: 'skill/x', requests_per_minute: 1 })).param).toContain('capability');
  });
});
