/** Two upstreams of one model: one fails under load, which only the ledger shows. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { eventually, startGateway, type TestGateway } from './gateway.ts';
import { startVendor, type Vendor } from './vendor.ts';

let gateway: TestGateway;
let first: Vendor;
let second: Vendor;

beforeEach(async () => {
  gateway = await startGateway();
  first = await startVendor();
  second = await startVendor();
  for (const [name, vendor] of Object.entries({ first, second })) {
    await gateway.as('admin', 'POST', '/api/providers', { name, spec: { kind: 'openai-compatible', options: { base_url: vendor.url } } });
  }
  const spec = {
    deployments: [
      { provider: 'first', model: 'm' },
      { provider: 'second', model: 'm' },
    ],
  };
  expect((await gateway.as('admin', 'POST', '/api/models', { name: 'pair', spec })).status).toBe(201);
});
afterEach(async () => {
  await gateway[Symbol.asyncDispose]();
  await first[Symbol.asyncDispose]();
  await second[Symbol.asyncDispose]();
});

it('callers see only successes when one of two upstreams is killed during load, and the attempts are visible', async () => {
  const calls: Promise<number>[] = [];
  for (let number = 0; number < 120; number++) {
    if (number === 40) calls.push(first.kill().then(() => 200));
    const stream = number % 2 === 0;
    calls.push(
      gateway
        .as('developer', 'POST', '/v1/chat/completions', { model: 'pair', stream, messages: [{ role: 'user', content: `call ${number}` }] })
        .then((answer) => {
          expect(answer.text).toContain(stream ? '[DONE]' : '"finish_reason":"stop"');
          return answer.status;
        }),
    );
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
  expect(new Set(await Promise.all(calls))).toEqual(new Set([200]));

  const last = await gateway.as('developer', 'POST', '/v1/chat/completions', {
    model: 'pair',
    messages: [{ role: 'user', content: 'once more' }],
  });
  expect(last.headers.get('x-pailou-deployment')).toBe('pair#second/m');
  const runs = await eventually(
    async () =>
      (await gateway.as('developer', 'GET', '/api/runs?limit=500')).json.data as { id: string; outcome: string; usage: unknown }[],
    (data) => data.length === 121,
  );
  expect(runs.every((run) => run.outcome === 'complete')).toBe(true);
  const details = await Promise.all(runs.map(async (run) => (await gateway.as('developer', 'GET', `/api/runs/${run.id}`)).json));
  const failed = details.flatMap((run) => run.attempts).filter((attempt: { outcome: string }) => attempt.outcome === 'error');
  expect(failed.length).toBeGreaterThan(0);
});

it('records a run once with the vendor’s tokens, and an abort with the known usage', async () => {
  const complete = await gateway.as('developer', 'POST', '/v1/chat/completions', {
    model: 'pair',
    messages: [{ role: 'user', content: 'Hi' }],
  });
  const id = complete.headers.get('x-pailou-trace-id');
  const run = await eventually(
    async () => (await gateway.as('developer', 'GET', `/api/runs/${id}`)).json,
    (json) => json?.outcome !== undefined,
  );
  expect(run).toMatchObject({ outcome: 'complete', capability: 'model/pair', subject: expect.any(String) });
  expect(JSON.stringify(run)).toMatch(/"(input_tokens|inputTokens)":5/);
  expect((await gateway.as('user', 'GET', `/api/runs/${id}`)).status).toBe(404);
});
