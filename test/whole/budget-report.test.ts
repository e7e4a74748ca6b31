/** GET /api/reports/budgets: what budgets have spent and what is left, for administrators all, for others their own. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually, startGateway, type TestGateway } from './gateway.ts';
import { answerOk, startVendor, type Vendor } from './vendor.ts';

let gateway: TestGateway;
let vendor: Vendor;

/** Two output tokens cost 0.01: the vendor always answers two. */
const price = { currency: 'USD', input: 0, output: '5000' };

beforeAll(async () => {
  [gateway, vendor] = await Promise.all([startGateway(), startVendor()]);
  vendor.behave((request, response) => answerOk(request, response));
  const options = { base_url: vendor.url };
  await gateway.as('admin', 'POST', '/api/providers', { name: 'vendor', spec: { kind: 'openai-compatible', options } });
  for (const name of ['one', 'two'])
    await gateway.as('admin', 'POST', '/api/models', { name, spec: { deployments: [{ provider: 'vendor', model: 'up', price }] } });
  await gateway.as('admin', 'POST', '/api/grants', {
    spec: { subject_type: 'role', subject: 'user', capability: 'model/*', action: 'use' },
  });
  const limits = {
    company: { subject_type: 'tenant', spend: { currency: 'USD', per_month: '10' } },
    each: { subject_type: 'user', spend: { currency: 'USD', per_day: '0.05', total: '1' } },
    'per-model': { subject_type: 'tenant', per_model: true, spend: { currency: 'USD', per_day: '0.1' } },
    unused: { subject_type: 'team', subject: 'nobody', spend: { currency: 'USD', per_week: '3' } },
    ended: { subject_type: 'tenant', spend: { currency: 'USD', per_day: '5' }, expires_at: '2026-01-01T00:00:00Z' },
    calls: { subject_type: 'user', requests_per_minute: 100 },
  };
  for (const [name, spec] of Object.entries(limits))
    expect((await gateway.as('admin', 'POST', '/api/limits', { name, spec })).status).toBe(201);
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await vendor[Symbol.asyncDispose]();
});

interface Shown {
  readonly limit: string;
  readonly counted: string | null;
  readonly model: string | null;
  readonly period: string;
  readonly until: string | null;
  readonly spent: number;
  readonly left: number;
}
const report = async (role: 'admin' | 'user' | 'viewer', query = ''): Promise<{ data: Shown[]; total: number }> =>
  (await gateway.as(role, 'GET', `/api/reports/budgets${query}`)).json;
const line = ({ limit, counted, model, period, spent, left }: Shown) => [limit, counted, model, period, spent, left];

it('administrators see every budget of the tenant, the fullest first, with what is left', async () => {
  const ask = (role: 'admin' | 'user', model: string) =>
    gateway.as(role, 'POST', '/v1/chat/completions', { model, messages: [{ role: 'user', content: 'Hi' }], max_tokens: 2 });
  for (const [role, model] of [
    ['admin', 'one'],
    ['admin', 'one'],
    ['admin', 'two'],
    ['user', 'one'],
  ] as const)
    expect((await ask(role, model)).status).toBe(200);
  const { data } = await eventually(
    () => report('admin'),
    (found) => found.data.some(({ limit, spent }) => limit === 'company' && spent === 0.04),
  );
  expect(data.map(line)).toEqual([
    ['each', 'admin', null, 'day', 0.03, 0.02],
    ['per-model', null, 'one', 'day', 0.03, 0.07],
    ['each', 'user', null, 'day', 0.01, 0.04],
    ['per-model', null, 'two', 'day', 0.01, 0.09],
    ['each', 'admin', null, 'total', 0.03, 0.97],
    ['each', 'user', null, 'total', 0.01, 0.99],
    ['company', null, null, 'month', 0.04, 9.96],
    ['unused', null, null, 'week', 0, 3],
  ]);
  expect(data.filter(({ until }) => until === null).map(({ period }) => period)).toEqual(['total', 'total']);
  const few = await report('admin', '?limit=1');
  expect([few.data.length, few.total]).toEqual([1, 8]);
});

it('other people see the budgets that count them alone, used or not', async () => {
  expect((await report('user')).data.map(line)).toEqual([
    ['each', 'user', null, 'day', 0.01, 0.04],
    ['each', 'user', null, 'total', 0.01, 0.99],
  ]);
  expect((await report('viewer')).data.map(line)).toEqual([
    ['each', 'viewer', null, 'day', 0, 0.05],
    ['each', 'viewer', null, 'total', 0, 1],
  ]);
  expect((await gateway.as(null, 'GET', '/api/reports/budgets')).status).toBe(401);
  expect((await gateway.as('user', 'GET', '/api/reports/budgets?limit=0')).status).toBe(400);
});
