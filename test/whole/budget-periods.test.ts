/** The periods of budgets: in the time zone of the tenant, and whatever runs the ledger still keeps. */
import { DatabaseSync } from 'node:sqlite';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { eventually, startGateway, type TestGateway } from './gateway.ts';
import { answerOk, startVendor, type Vendor } from './vendor.ts';

let gateway: TestGateway;
let vendor: Vendor;

/** Two output tokens cost 0.01: the vendor always answers two. */
const price = { currency: 'USD', input: 0, output: '5000' };

beforeAll(async () => {
  gateway = await startGateway({ PAILOU_TIME_ZONE: 'other=Europe/Berlin,Pacific/Kiritimati' });
  vendor = await startVendor();
  vendor.behave((request, response) => answerOk(request, response));
  const options = { base_url: vendor.url };
  await gateway.as('admin', 'POST', '/api/providers', { name: 'vendor', spec: { kind: 'openai-compatible', options } });
  for (const name of ['of-tenant', 'of-its-own', 'total', 'month'])
    await gateway.as('admin', 'POST', '/api/models', { name, spec: { deployments: [{ provider: 'vendor', model: 'up', price }] } });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await vendor[Symbol.asyncDispose]();
});

async function limit(model: string, spend: object): Promise<void> {
  const spec = { subject_type: 'tenant', capability: `model/${model}`, spend: { currency: 'USD', ...spend } };
  const answer = await gateway.as('admin', 'POST', '/api/limits', { name: model, spec });
  expect(answer.status, answer.text).toBe(201);
}
const ask = (model: string, on = gateway) =>
  on.as('admin', 'POST', '/v1/chat/completions', { model, messages: [{ role: 'user', content: 'Hi' }], max_tokens: 2 });

it('a budget without a time zone has the days of its tenant, and another one those of its own', async () => {
  await limit('of-tenant', { per_day: '0.01' });
  await limit('of-its-own', { per_day: '0.01', time_zone: 'Asia/Kolkata' });
  for (const [model, end] of [
    ['of-tenant', 'T10:00:00.000Z'],
    ['of-its-own', 'T18:30:00.000Z'],
  ] as const) {
    expect((await ask(model)).status).toBe(200);
    const refused = await ask(model);
    expect([refused.status, refused.json.error.message]).toEqual([429, expect.stringContaining(end)]);
  }
  expect((await gateway.as('admin', 'GET', '/api/limits/of-tenant')).json.spec.spend).toEqual({ currency: 'USD', per_day: '0.01' });
});

it('what was spent is known after a restart, also when the runs of the ledger have been deleted', async () => {
  await limit('total', { total: '0.02' });
  await limit('month', { per_month: '0.01' });
  for (const model of ['total', 'total', 'month']) expect((await ask(model)).status).toBe(200);
  const rows = () => gateway.as('admin', 'GET', '/api/runs?limit=50').then(({ json }) => json.data.length as number);
  await eventually(rows, (count) => count >= 5);
  await gateway.gateway.close(2_000);
  const file = new DatabaseSync(join(gateway.dataDir, 'pailou.db'));
  file.exec('delete from llm_run_fact');
  file.close();
  await using again = await startGateway({ ...gateway.env, PAILOU_DATA_DIR: gateway.dataDir });
  for (const model of ['total', 'month']) expect((await ask(model, again)).json.error.code).toBe('budget_exhausted');
});
