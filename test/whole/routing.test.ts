/** Circuit, limits, queue and fallback models, against a vendor on a raw socket that counts its requests. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { text } from '../../faults/answers.ts';
import { type FaultServer, startFaultServer } from '../../faults/server.ts';
import { eventually, startGateway, type TestGateway } from './gateway.ts';

let gateway: TestGateway;
let vendor: FaultServer;

beforeAll(async () => {
  gateway = await startGateway();
  vendor = await startFaultServer();
  await gateway.as('admin', 'POST', '/api/providers', {
    name: 'faults',
    spec: { kind: 'openai-compatible', options: { base_url: vendor.url } },
  });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await vendor.close();
});

async function makeModel(name: string, deployments: readonly object[], more: object = {}) {
  const spec = { deployments: deployments.map((each, tier) => ({ provider: 'faults', tier, ...each })), ...more };
  return gateway.as('admin', 'POST', '/api/models', { name, spec });
}

const body = (model: string, more: object = {}) => ({ model, messages: [{ role: 'user', content: 'Hello' }], ...more });
const ask = (model: string, more: object = {}) => gateway.as('developer', 'POST', '/v1/chat/completions', body(model, more));
const saidBy = (answer: Awaited<ReturnType<typeof ask>>): string => answer.json?.choices?.[0]?.message.content;
const explain = (model: string, more: object = {}) => gateway.as('developer', 'POST', '/api/route/explain', body(model, more));
const asked = (behaviour: string): number => vendor.calls.get(behaviour) ?? 0;

describe('a circuit', () => {
  it('opens when a deployment keeps failing, keeps calls away, probes once, and closes when it is healthy again', async () => {
    await makeModel('ill', [{ model: 'flap-4' }, { model: 'ok' }], {
      retry: { same: 0 },
      circuit: { failures: 3, open_ms: 12_000 },
    });
    for (let call = 0; call < 3; call++) expect(saidBy(await ask('ill'))).toBe(text);
    expect(asked('flap-4')).toBe(3);
    const [first] = (await explain('ill')).json.candidates;
    expect(first).toMatchObject({ deployment: 'ill#faults/flap-4', takes_calls: false });
    expect(first.reason).toContain('circuit open');
    await Promise.all(Array.from({ length: 20 }, () => ask('ill')));
    expect(asked('flap-4'), 'an open circuit takes no calls').toBe(3);
    const health = async () =>
      ((await gateway.as('admin', 'GET', '/api/health')).json.deployments as { deployment: string; circuit: string }[]).find(
        (each) => each.deployment === 'ill#faults/flap-4',
      )?.circuit;
    expect(await health()).toBe('open');
    await new Promise((resolve) => setTimeout(resolve, 12_100));
    const answers = await Promise.all(Array.from({ length: 20 }, () => ask('ill')));
    for (const answer of answers) expect(saidBy(answer)).toBe(text);
    // The probe is the fourth call, which succeeds; later calls find the circuit closed.
    expect(await health()).toBe('closed');
    expect((await gateway.as('admin', 'GET', '/metrics')).text).toContain('pailou_circuit_state{deployment="default ill#faults/flap-4"} 0');
    const acts = await eventually(
      async () =>
        ((await gateway.as('admin', 'GET', '/api/audit?limit=50')).json.data as { act: string; target: string }[])
          .filter((entry) => entry.target === 'ill#faults/flap-4')
          .map((entry) => entry.act),
      (found) => found.length >= 2,
    );
    expect(acts.toReversed()).toEqual(['circuit open', 'circuit closed']);
  });

  it('answers immediately with Retry-After when no deployment is left', async () => {
    await makeModel('gone', [{ model: 'status-500' }], { retry: { same: 0 }, circuit: { failures: 2, open_ms: 30_000 } });
    await ask('gone');
    await ask('gone');
    const before = asked('status-500');
    const answer = await ask('gone');
    expect(answer).toMatchObject({ status: 503, json: { error: { code: 'upstream_unavailable' } } });
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(20);
    expect(asked('status-500')).toBe(before);
  });

  it('does not count refusals of the caller’s own request as failures', async () => {
    await makeModel('strict', [{ model: 'status-422' }], { circuit: { failures: 2 } });
    for (let call = 0; call < 5; call++) expect((await ask('strict')).status).toBe(400);
    expect((await explain('strict')).json.candidates[0].takes_calls).toBe(true);
  });
});

describe('limits of a deployment', () => {
  it('lead to the next deployment; a vendor with Retry-After is not called before', async () => {
    await makeModel('told', [{ model: 'limit-30' }, { model: 'ok' }]);
    for (let call = 0; call < 5; call++) expect(saidBy(await ask('told'))).toBe(text);
    expect(asked('limit-30')).toBe(1);
  });

  it('hold for requests a minute, concurrency and tokens a minute', async () => {
    await makeModel('rpm', [{ model: 'slow-1', limits: { requests_per_minute: 3 } }, { model: 'ok' }]);
    const by = (answers: readonly Awaited<ReturnType<typeof ask>>[], deployment: string) =>
      answers.filter((answer) => answer.headers.get('x-pailou-deployment') === deployment).length;
    expect(by(await Promise.all(Array.from({ length: 10 }, () => ask('rpm'))), 'rpm#faults/slow-1')).toBe(3);

    await makeModel('few', [{ model: 'slow-150', limits: { concurrency: 2 } }, { model: 'ok' }]);
    expect(by(await Promise.all(Array.from({ length: 10 }, () => ask('few'))), 'few#faults/slow-150')).toBe(2);

    await makeModel('tpm', [{ model: 'slow-2', limits: { tokens_per_minute: 20 } }, { model: 'ok' }]);
    const inTurn = [];
    for (let call = 0; call < 4; call++) inTurn.push(await ask('tpm'));
    // Each answer takes 15 tokens: the second begins below the limit, the third does not.
    expect(by(inTurn, 'tpm#faults/slow-2')).toBe(2);
    const refused = (await explain('tpm')).json.candidates[0];
    expect(refused.reason).toContain('tokens per minute');
  });

  it('answer 429 with Retry-After when no deployment is left', async () => {
    await makeModel('one-rpm', [{ model: 'ok', limits: { requests_per_minute: 1 } }]);
    expect((await ask('one-rpm')).status).toBe(200);
    const answer = await ask('one-rpm');
    expect(answer).toMatchObject({ status: 429, json: { error: { code: 'rate_limited', type: 'rate_limit_error' } } });
    expect(Number(answer.headers.get('retry-after'))).toBeGreaterThan(0);
  });

  it('let calls wait in a bounded queue where the model says so', async () => {
    await makeModel('queue', [{ model: 'slow-50', limits: { concurrency: 2 } }], { queue: { size: 6, wait_ms: 5_000 } });
    const answers = await Promise.all(Array.from({ length: 12 }, () => ask('queue')));
    expect(answers.filter((answer) => answer.status === 200)).toHaveLength(8);
    expect(answers.filter((answer) => answer.status === 429)).toHaveLength(4);
  });
});

describe('a fallback model', () => {
  beforeAll(async () => {
    await makeModel('large', [{ model: 'ok' }]);
    await makeModel('plain', [{ model: 'ok' }], { features: { tools: false, vision: false } });
    await makeModel('short', [{ model: 'too-long' }], { fallbacks: [{ on: ['context_length'], model: 'large' }] });
    await makeModel('weak', [{ model: 'status-503' }], {
      retry: { same: 0 },
      circuit: { failures: 1_000, minimum: 1_000 },
      fallbacks: [
        { on: ['overload'], model: 'plain' },
        { on: ['overload', 'error'], model: 'large' },
      ],
    });
  });

  it('takes over by the class of the failure, and is named to the caller', async () => {
    const answer = await ask('short');
    expect(saidBy(answer)).toBe(text);
    expect(answer.headers.get('x-pailou-deployment')).toBe('large#faults/ok');
    expect(answer.headers.get('x-pailou-attempts')).toBe('2');
    expect(answer.json.model).toBe('short');
    expect((await ask('weak')).headers.get('x-pailou-deployment')).toBe('plain#faults/ok');
  });

  it('is only one that can do what the call needs', async () => {
    const tools = [{ type: 'function', function: { name: 'f', parameters: { type: 'object' } } }];
    expect((await ask('weak', { tools })).headers.get('x-pailou-deployment')).toBe('large#faults/ok');
    const explained = (await explain('weak', { tools })).json.fallbacks;
    expect(explained.map((each: { usable: boolean }) => each.usable)).toEqual([false, true]);
  });

  it('is only one that the caller may use', async () => {
    const grant = { subject_type: 'role', subject: 'user', capability: 'model/short', action: 'use' };
    expect((await gateway.as('admin', 'POST', '/api/grants', { spec: grant })).status).toBe(201);
    const answer = await gateway.as('user', 'POST', '/v1/chat/completions', body('short'));
    expect(answer).toMatchObject({ status: 400, json: { error: { code: 'context_length_exceeded' } } });
  });

  it('cannot be saved when it is unknown or forms a cycle, nor deleted while another model refers to it', async () => {
    const nowhere = await makeModel('nowhere', [{ model: 'ok' }], { fallbacks: [{ on: ['error'], model: 'largee' }] });
    expect(nowhere).toMatchObject({ status: 400, json: { error: { param: 'spec.fallbacks[0].model' } } });
    expect(nowhere.text).toContain('large');
    const self = await makeModel('self', [{ model: 'ok' }], { fallbacks: [{ on: ['error'], model: 'self' }] });
    expect(self.json.error.message).toContain('cycle: self -> self');
    const deployments = [{ provider: 'faults', model: 'ok' }];
    const round = await gateway.as('admin', 'PUT', '/api/models/large', {
      spec: { deployments, fallbacks: [{ on: ['error'], model: 'short' }] },
    });
    expect(round.json.error.message).toContain('cycle');
    expect(await gateway.as('admin', 'DELETE', '/api/models/large')).toMatchObject({ status: 409, json: { error: { code: 'in_use' } } });
  });
});

it('weights hold within sampling error', async () => {
  await gateway.as('admin', 'POST', '/api/models', {
    name: 'share',
    spec: {
      deployments: [
        { provider: 'faults', model: 'slow-3', weight: 70 },
        { provider: 'faults', model: 'slow-4', weight: 20 },
        { provider: 'faults', model: 'slow-5', weight: 10 },
      ],
    },
  });
  for (let round = 0; round < 10; round++) await Promise.all(Array.from({ length: 60 }, () => ask('share')));
  expect(asked('slow-3') + asked('slow-4') + asked('slow-5')).toBe(600);
  expect(asked('slow-3')).toBeGreaterThan(370);
  expect(asked('slow-3')).toBeLessThan(470);
  expect(asked('slow-5')).toBeGreaterThan(30);
  expect(asked('slow-5')).toBeLessThan(95);
});

it('a deployment that was disabled gets no call from the next one on', async () => {
  const deployments = [{ provider: 'faults', model: 'slow-6' }];
  await gateway.as('admin', 'POST', '/api/models', { name: 'off', spec: { deployments } });
  await ask('off');
  await gateway.as('admin', 'PUT', '/api/models/off', {
    spec: {
      deployments: [
        { ...deployments[0], enabled: false },
        { provider: 'faults', model: 'ok' },
      ],
    },
  });
  for (let call = 0; call < 5; call++) expect((await ask('off')).headers.get('x-pailou-deployment')).toBe('off#faults/ok');
  expect(asked('slow-6')).toBe(1);
});
