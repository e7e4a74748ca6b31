/** Probes over the whole gateway: an outage is found before callers see it. */
import { afterEach, beforeEach, expect, it } from 'vitest';
import { eventually, startGateway, type TestGateway } from './gateway.ts';
import { answerOk, startVendor, type Vendor } from './vendor.ts';

let gateway: TestGateway;
let first: Vendor;
let second: Vendor;

const listed = (vendor: Vendor): number => vendor.requests.filter(({ path }) => path.endsWith('/models')).length;
const called = (vendor: Vendor): number => vendor.requests.length - listed(vendor);
const healthy = (vendor: Vendor): void =>
  vendor.behave((request, response) => {
    if (!request.path.endsWith('/models')) answerOk(request, response);
    else response.writeHead(200, { 'content-type': 'application/json' }).end('{"object":"list","data":[]}');
  });
const down = (vendor: Vendor): void =>
  vendor.behave((_request, response) => void response.writeHead(503, { 'content-type': 'text/plain' }).end('down'));

beforeEach(async () => {
  gateway = await startGateway();
  [first, second] = [await startVendor(), await startVendor()];
  for (const [name, vendor] of Object.entries({ first, second })) {
    healthy(vendor);
    const options = { base_url: vendor.url };
    await gateway.as('admin', 'POST', '/api/providers', { name, spec: { kind: 'openai-compatible', options } });
  }
});
afterEach(async () => {
  await gateway[Symbol.asyncDispose]();
  await first[Symbol.asyncDispose]();
  await second[Symbol.asyncDispose]();
});

const ask = (stream = false) =>
  gateway.as('developer', 'POST', '/v1/chat/completions', { model: 'pair', stream, messages: [{ role: 'user', content: 'Hi' }] });
const health = async (deployment = 'pair#first/m') =>
  (
    (await gateway.as('admin', 'GET', '/api/health')).json.deployments as {
      deployment: string;
      circuit: string;
      probe: { at: string; ok: boolean | null; reason: string | null; latency_ms: number } | null;
    }[]
  ).find((each) => each.deployment === deployment);
const audited = async () =>
  ((await gateway.as('admin', 'GET', '/api/audit?limit=50')).json.data as { act: string; target: string; detail: string }[])
    .filter(({ target }) => target === 'pair#first/m')
    .map(({ act, detail }) => `${act}: ${detail}`)
    .toReversed();

it('probes find an outage before any caller does, keep calls away, and admit them after recovery', async () => {
  const deployments = [
    { provider: 'first', model: 'm', probe: { interval_ms: 1_000, timeout_ms: 500 } },
    { provider: 'second', model: 'm', tier: 1 },
  ];
  const spec = { deployments, circuit: { open_ms: 600_000 } };
  const created = await gateway.as('admin', 'POST', '/api/models', { name: 'pair', spec });
  expect(created.status).toBe(201);
  const well = await eventually(health, (each) => each?.probe?.ok === true);
  expect(well).toMatchObject({ circuit: 'closed', attempts: 0, probe: { reason: null, latency_ms: expect.any(Number) } });
  expect((await ask()).headers.get('x-pailou-deployment')).toBe('pair#first/m');

  down(first);
  const unhealthy = await eventually(health, (each) => each?.circuit === 'open');
  expect(unhealthy).toMatchObject({ failures: 0, probe: { ok: false, reason: 'The vendor is overloaded or down. (HTTP 503)' } });
  const before = called(first);
  const answers = await Promise.all(Array.from({ length: 20 }, (_each, number) => ask(number % 2 === 0)));
  for (const answer of answers) {
    expect(answer.status).toBe(200);
    expect(answer.headers.get('x-pailou-deployment')).toBe('pair#second/m');
  }
  expect(called(first), 'nobody had to try it').toBe(before);

  healthy(first);
  await eventually(health, (each) => each?.circuit === 'closed');
  expect((await ask()).headers.get('x-pailou-deployment')).toBe('pair#first/m');
  expect(await eventually(audited, (found) => found.length >= 2)).toEqual([
    'circuit open: closed to open, found by probes: The vendor is overloaded or down. (HTTP 503)',
    'circuit closed: open to closed',
  ]);
  const metrics = (await gateway.as('admin', 'GET', '/metrics')).text;
  expect(metrics).toMatch(/^pailou_probes_total\{deployment="default pair#first\/m",result="well"\} [1-9]/m);
  expect(metrics).toMatch(/^pailou_probes_total\{deployment="default pair#first\/m",result="ill"\} [2-9]/m);
  expect(metrics).toContain('pailou_circuit_state{deployment="default pair#first/m"} 0');
  expect(listed(second), 'whoever is not to be probed is not').toBe(0);

  const off = { ...spec, deployments: deployments.map((each, at) => ({ ...each, enabled: at > 0 })) };
  const etag = { 'if-match': created.headers.get('etag') ?? '' };
  expect((await gateway.as('admin', 'PUT', '/api/models/pair', { spec: off }, etag)).status).toBe(200);
  const asked = first.requests.length;
  expect((await ask()).headers.get('x-pailou-deployment'), 'from the next call on').toBe('pair#second/m');
  await new Promise((resolve) => setTimeout(resolve, 1_300));
  expect(first.requests.length, 'neither a call nor a probe').toBe(asked);
});

it('token probes record one token of cost as a run, and do not delay the shutdown of the node', async () => {
  const price = { currency: 'USD', input: 1_000_000, output: 1_000_000 };
  const deployments = [{ provider: 'first', model: 'm', price, probe: { interval_ms: 1_000, timeout_ms: 60_000, ask: 'token' } }];
  expect((await gateway.as('admin', 'POST', '/api/models', { name: 'pair', spec: { deployments } })).status).toBe(201);
  await eventually(health, (each) => each?.probe?.ok === true);
  first.behave(() => {});
  await eventually(
    async () => called(first),
    (count) => count === 2,
  );
  const runs = async () => (await gateway.as('admin', 'GET', '/api/runs?limit=50')).json.data as Record<string, unknown>[];
  const [run, ...others] = await eventually(runs, (found) => found.length > 0);
  expect(others).toEqual([]);
  expect(JSON.stringify(run)).toMatch(/"operation":"probe"/);
  expect(run).toMatchObject({ capability: 'model/pair', subject: 'pailou', outcome: 'complete', cost: 7 });
  expect(first.requests[0]?.body).toMatchObject({ max_tokens: 1 });
  const began = performance.now();
  await gateway.gateway.close(100_000);
  // Neither the timeout of the probe nor the grace of the stop.
  expect(performance.now() - began).toBeLessThan(50_000);
  expect(called(first)).toBe(2);
});
