/** GET /api/usage over HTTP: one's own usage for every role, all usage for administrators, equal to the ledger. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { csvOf } from '../../src/admin/csv.ts';
import { eventually, startGateway, type TestGateway } from './gateway.ts';
import { startVendor, type Vendor } from './vendor.ts';

let gateway: TestGateway;
let vendor: Vendor;

beforeAll(async () => {
  gateway = await startGateway();
  vendor = await startVendor();
  await gateway.as('admin', 'POST', '/api/providers', {
    name: 'vendor',
    spec: { kind: 'openai-compatible', options: { base_url: vendor.url } },
  });
  const price = { currency: 'CNY', input: 1_000_000, output: 10_000_000 };
  const spec = { deployments: [{ provider: 'vendor', model: 'up', price }] };
  await gateway.as('admin', 'POST', '/api/models', { name: 'priced', spec });
  await gateway.as('admin', 'POST', '/api/grants', {
    spec: { subject_type: 'role', subject: 'user', capability: 'model/priced', action: 'use' },
  });
  for (const [who, calls] of [
    ['user', 3],
    ['developer', 2],
  ] as const)
    for (let call = 0; call < calls; call++)
      await gateway.as(who, 'POST', '/v1/chat/completions', { model: 'priced', messages: [{ role: 'user', content: 'Hi' }] });
  await gateway.as('user', 'POST', '/v1/skills/demo-greeting/runs', { input: { name: 'Mei' } });
  await eventually(
    async () => (await gateway.as('admin', 'GET', '/api/usage?by=user')).json.data as { runs: number }[],
    (lines) => lines.reduce((sum, { runs }) => sum + runs, 0) === 7,
  );
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await vendor[Symbol.asyncDispose]();
});

it('shows users their own usage and administrators all', async () => {
  const mine = (await gateway.as('user', 'GET', '/api/usage?by=model')).json;
  // Five input tokens at 1 and two output tokens at 10: 25 for each call.
  expect(mine.data).toContainEqual(
    expect.objectContaining({ model: 'priced', currency: 'CNY', calls: 3, input_tokens: 15, output_tokens: 6, cost: 75 }),
  );
  const all = (await gateway.as('admin', 'GET', '/api/usage?by=user,model')).json.data as { user: string; model: string; cost: number }[];
  expect(all.filter(({ model }) => model === 'priced').map(({ user, cost }) => [user, cost])).toEqual([
    ['developer', 50],
    ['user', 75],
  ]);
  const one = (await gateway.as('admin', 'GET', '/api/usage?user=developer&by=day')).json;
  expect(one.data).toEqual([expect.objectContaining({ day: new Date().toISOString().slice(0, 10), calls: 2, cost: 50 })]);
  expect((await gateway.as('user', 'GET', '/api/usage?user=developer')).status).toBe(403);
  expect((await gateway.as('user', 'GET', '/api/usage?by=user')).json.data.every((line: { user: string }) => line.user === 'user')).toBe(
    true,
  );
});

it('records a skill’s inner calls with the skill', async () => {
  const { data } = (await gateway.as('user', 'GET', '/api/usage?by=skill,model')).json;
  expect(data).toContainEqual(expect.objectContaining({ skill: 'demo-greeting', model: 'demo/echo', calls: 0, runs: 1 }));
  expect(data).toContainEqual(expect.objectContaining({ skill: 'demo-greeting', model: null, calls: 1, runs: 1, input_tokens: 0 }));
});

it('returns CSV without formulas', async () => {
  const answer = await gateway.as('admin', 'GET', '/api/usage?by=user&format=csv');
  expect(answer.headers.get('content-type')).toContain('text/csv');
  expect(answer.text.split('\r\n')[0]).toBe(
    'user,currency,calls,runs,failed,aborted,estimated,unpriced,input_tokens,output_tokens,cached_input_tokens,reasoning_tokens,cost',
  );
  expect(answer.text).toContain('\r\nuser,CNY,3,3,0,0,0,0,15,6,0,0,75\r\n');
  expect(
    csvOf(
      ['a', 'b'],
      [
        { a: '=HYPERLINK("x")', b: null },
        { a: '-1+1|cmd', b: 3 },
      ],
    ),
  ).toBe('a,b\r\n"\'=HYPERLINK(""x"")",\r\n\'-1+1|cmd,3\r\n');
});

it('reports invalid parameters', async () => {
  const wrong = async (query: string) => (await gateway.as('user', 'GET', `/api/usage?${query}`)).json.error;
  expect((await wrong('by=colour')).message).toContain('by');
  expect((await wrong('from=2026-13-01')).message).toContain('from');
  expect((await wrong('from=2026-11-02&to=2026-11-01')).param).toBe('from');
  expect((await wrong('from=1970-01-01')).param).toBe('from');
  expect((await wrong('tenant=other')).message).toContain('tenant');
});
