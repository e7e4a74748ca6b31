/** GET /api/reports/series over HTTP: time series of one's own runs for every role, of all runs for administrators. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually, startGateway, type TestGateway } from './gateway.ts';
import { startVendor, type Vendor } from './vendor.ts';

let gateway: TestGateway;
let vendor: Vendor;

const call = (who: 'user' | 'developer', model: string) =>
  gateway.as(who, 'POST', '/v1/chat/completions', { model, messages: [{ role: 'user', content: 'Hi' }] });

beforeAll(async () => {
  gateway = await startGateway();
  vendor = await startVendor();
  const provider = (base: string) => ({ kind: 'openai-compatible', options: { base_url: base } });
  await gateway.as('admin', 'POST', '/api/providers', { name: 'vendor', spec: provider(vendor.url) });
  await gateway.as('admin', 'POST', '/api/providers', { name: 'away', spec: provider('http://127.0.0.1:9') });
  const price = { currency: 'CNY', input: 1_000_000, output: 10_000_000 };
  await gateway.as('admin', 'POST', '/api/models', { name: 'priced', spec: { deployments: [{ provider: 'vendor', model: 'up', price }] } });
  await gateway.as('admin', 'POST', '/api/models', { name: 'dead', spec: { deployments: [{ provider: 'away', model: 'up' }] } });
  for (const model of ['priced', 'dead'])
    await gateway.as('admin', 'POST', '/api/grants', {
      spec: { subject_type: 'role', subject: 'user', capability: `model/${model}`, action: 'use' },
    });
  for (let count = 0; count < 3; count++) await call('user', 'priced');
  await call('developer', 'priced');
  await call('user', 'dead');
  await eventually(
    async () => (await gateway.as('admin', 'GET', '/api/reports/series')).json,
    ({ total }) => total.runs === 5,
  );
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await vendor[Symbol.asyncDispose]();
});

const series = async (query: string, who: 'admin' | 'user' = 'admin') =>
  (await gateway.as(who, 'GET', `/api/reports/series?${query}`)).json;
const runsBy = (answer: { series: { of: Record<string, string | null> | null; total: { runs: number } }[] }) =>
  answer.series.map(({ of, total }) => [of === null ? 'other' : Object.values(of).join(' '), total.runs]);

it('gives calls, tokens, money and latency of each hour, by any dimension', async () => {
  const byModel = await series('by=model');
  expect(runsBy(byModel)).toEqual([
    ['priced', 4],
    ['dead', 1],
  ]);
  const [priced, dead] = byModel.series;
  // Five input tokens at 1 and two output tokens at 10: 25 for each call.
  expect(priced.total).toMatchObject({ calls: 4, failed: 0, input_tokens: 20, output_tokens: 8, cost: { CNY: 100 } });
  expect(priced.total.duration.count).toBe(4);
  expect(priced.total.duration.p95_ms).toBeGreaterThan(0);
  expect(dead.total).toMatchObject({ failed: 1, duration: { count: 0, p50_ms: null } });
  const points: { start: string; runs: number }[] = priced.points;
  expect(points.reduce((sum, { runs }) => sum + runs, 0)).toBe(4);
  expect(points.every(({ start }) => start.endsWith(':00:00.000Z'))).toBe(true);
  expect(runsBy(await series('by=user'))).toEqual([
    ['user', 4],
    ['developer', 1],
  ]);
  expect(runsBy(await series('by=provider,error&step=day'))).toEqual([
    ['vendor ', 4],
    ['away upstream_unavailable', 1],
  ]);
  expect(runsBy(await series('by=deployment&model=priced'))).toEqual([['priced#vendor/up', 4]]);
});

it('sums the series behind the first ones into one', async () => {
  const { total, series: all } = await series('by=user,model&top=1');
  expect(total.runs).toBe(5);
  expect(all.map((each: { of: unknown; total: { runs: number } }) => [each.of, each.total.runs])).toEqual([
    [{ user: 'user', model: 'priced' }, 3],
    [null, 2],
  ]);
});

it('shows others than administrators their own runs alone', async () => {
  expect(runsBy(await series('by=user', 'user'))).toEqual([['user', 4]]);
  expect((await gateway.as('user', 'GET', '/api/reports/series?user=developer')).status).toBe(403);
});

it('refuses unknown names and more points than a chart can show', async () => {
  const many = await gateway.as('admin', 'GET', '/api/reports/series?from=2026-01-01&to=2026-12-01&by=model');
  expect([many.status, many.json.error.param]).toEqual([400, 'from']);
  expect((await gateway.as('admin', 'GET', '/api/reports/series?by=mood')).status).toBe(400);
  expect((await gateway.as('admin', 'GET', '/api/reports/series?colour=red')).status).toBe(400);
  expect((await gateway.as('admin', 'GET', '/api/reports/series?from=2026-02-01&to=2026-01-01')).json.error.param).toBe('from');
  const wrong = await gateway.as('admin', 'GET', '/api/reports/series?from=yesterday');
  expect(wrong.json.error.message).toMatch(/from \(query parameter\): must be a time with its zone, such as \S+, or a day such as \S+\.$/);
});
