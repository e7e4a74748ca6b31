/** Budgets for companies: by team, for one person until a date, in total, and by days of a time zone. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { startGateway, type TestGateway } from './gateway.ts';
import { answerOk, startVendor, type Vendor } from './vendor.ts';

let gateway: TestGateway;
let vendor: Vendor;
const made: string[] = [];

/** Two output tokens cost 0.01: the vendor always answers two. */
const price = { currency: 'USD', input: 0, output: '5000' };

beforeAll(async () => {
  gateway = await startGateway();
  vendor = await startVendor();
  vendor.behave((request, response) => answerOk(request, response));
  const options = { base_url: vendor.url };
  await gateway.as('admin', 'POST', '/api/providers', { name: 'vendor', spec: { kind: 'openai-compatible', options } });
  for (const name of ['team', 'person', 'total', 'zone', 'own-of-the-company'])
    await gateway.as('admin', 'POST', '/api/models', { name, spec: { deployments: [{ provider: 'vendor', model: 'up', price }] } });
  const grant = { subject_type: 'role', subject: 'user', capability: 'model/*', action: 'use' };
  await gateway.as('admin', 'POST', '/api/grants', { spec: grant });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await vendor[Symbol.asyncDispose]();
});
afterEach(async () => {
  for (const name of made.splice(0)) await gateway.as('admin', 'DELETE', `/api/limits/${name}`);
});

async function limit(name: string, spec: object): Promise<void> {
  const answer = await gateway.as('admin', 'POST', '/api/limits', { name, spec });
  expect(answer.status, answer.text).toBe(201);
  made.push(name);
}

const ask = async (who: 'user' | 'developer', model: string) => {
  const body = { model, messages: [{ role: 'user', content: 'Hi' }], max_tokens: 2 };
  return gateway.as(who, 'POST', '/v1/chat/completions', body);
};
const statuses = async (who: 'user' | 'developer', model: string, calls: number): Promise<number[]> => {
  const found: number[] = [];
  for (let call = 0; call < calls; call++) found.push((await ask(who, model)).status);
  return found;
};

describe('a budget', () => {
  it('of a team is shared by the holders of its role or group, and does not apply to others', async () => {
    await limit('team', { subject_type: 'team', subject: 'user', capability: 'model/team', spend: { currency: 'USD', per_week: '0.02' } });
    expect(await statuses('user', 'team', 3)).toEqual([200, 200, 429]);
    expect((await ask('user', 'team')).json.error.message).toMatch(/"team" allows 0\.02 USD a week\. It is used up until \d{4}-/);
    expect(await statuses('developer', 'team', 1)).toEqual([200]);
    const nameless = { subject_type: 'team', spend: { currency: 'USD', per_day: 1 } };
    expect((await gateway.as('admin', 'POST', '/api/limits', { name: 'x', spec: nameless })).json.error.param).toContain('subject');
  });

  it('of all users is overridden for one user until a date, and applies again after it', async () => {
    const everybody = { subject_type: 'user', capability: 'model/person', spend: { currency: 'USD', per_day: '0.01' } };
    await limit('everybody', everybody);
    const more = { ...everybody, subject: 'user', replaces: 'everybody', spend: { currency: 'USD', per_day: '0.03' } };
    await limit('more', { ...more, expires_at: new Date(Date.now() + 3_600_000).toISOString() });
    expect(await statuses('developer', 'person', 2)).toEqual([200, 429]);
    expect(await statuses('user', 'person', 4)).toEqual([200, 200, 200, 429]);
    const over = { ...more, expires_at: new Date(Date.now() - 1_000).toISOString() };
    expect((await gateway.as('admin', 'PUT', '/api/limits/more', { spec: over })).status).toBe(200);
    expect((await ask('user', 'person')).json.error?.message ?? 'answered').toMatch(/"everybody" allows 0\.01 USD a day|answered/);
    expect((await statuses('user', 'person', 2)).at(-1)).toBe(429);
  });

  it('in total never resets, and its error says so', async () => {
    await limit('in-all', { subject_type: 'tenant', capability: 'model/total', spend: { currency: 'USD', total: 0.02 } });
    expect(await statuses('user', 'total', 3)).toEqual([200, 200, 429]);
    const refused = await ask('developer', 'total');
    expect(refused.json.error.message).toContain('allows 0.02 USD in all. It is used up;');
    expect(refused.headers.get('retry-after')).toBeNull();
  });

  it('of a day ends at midnight of its time zone', async () => {
    const spend = { currency: 'USD', per_day: '0.01', time_zone: 'Pacific/Kiritimati' };
    await limit('zone', { subject_type: 'tenant', capability: 'model/zone', spend });
    expect(await statuses('user', 'zone', 2)).toEqual([200, 429]);
    // Midnight there is 10:00 UTC.
    expect((await ask('user', 'zone')).json.error.message).toMatch(/used up until \d{4}-\d{2}-\d{2}T10:00:00\.000Z/);
    const wrong = { subject_type: 'tenant', spend: { ...spend, time_zone: 'Asia/Shangai' } };
    const refused = (await gateway.as('admin', 'POST', '/api/limits', { name: 'x', spec: wrong })).json.error;
    expect(refused).toMatchObject({ param: expect.stringContaining('time_zone'), message: expect.stringContaining('time zone') });
  });

  it('does not count spend at developers’ own providers', async () => {
    const options = { base_url: vendor.url };
    const provider = await gateway.as('developer', 'POST', '/api/providers', { name: 'own', spec: { kind: 'openai-compatible', options } });
    expect(provider.status, provider.text).toBe(201);
    const dear = { currency: 'USD', input: 0, output: '500000' };
    const model = { name: 'own', spec: { deployments: [{ provider: 'own', model: 'up', price: dear }] } };
    expect((await gateway.as('developer', 'POST', '/api/models', model)).status).toBe(201);
    const spend = { currency: 'USD', per_day: '0.01' };
    await limit('company', { subject_type: 'user', subject: 'developer', capability: 'model/own*', spend });
    expect(await statuses('developer', 'own', 3), 'each costs a hundred times the budget').toEqual([200, 200, 200]);
    expect(await statuses('developer', 'own-of-the-company', 2), 'the whole budget is left for a provider of the company').toEqual([
      200, 429,
    ]);
  });
});
