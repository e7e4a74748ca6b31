/** A step of the wall clock by hours, in both directions, while calls are in progress. Only `Date` is stepped: timers of a real process go by another clock. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { type Answer, eventually, startGateway, type TestGateway } from './gateway.ts';
import { answerOk, chunks, startVendor, type Vendor } from './vendor.ts';

const hour = 3_600_000;
const messages = [{ role: 'user', content: 'Hi' }];

let gateway: TestGateway;
let vendor: Vendor;
let key: string;
let other: string;

beforeAll(async () => {
  gateway = await startGateway();
  vendor = await startVendor();
  const make = async (path: string, body: object): Promise<Answer> => {
    const made = await gateway.as('admin', 'POST', path, body);
    expect(made.status, made.text).toBe(201);
    return made;
  };
  await make('/api/providers', {
    name: 'v',
    spec: { kind: 'openai-compatible', options: { base_url: vendor.url, api_key: 'k' } },
  });
  const deployments = [{ provider: 'v', model: 'up' }];
  await make('/api/models', { name: 'm', spec: { deployments } });
  await make('/api/models', { name: 'frail', spec: { deployments, retry: { same: 0 }, circuit: { failures: 1, open_ms: 200 } } });
  await make('/api/models', {
    name: 'narrow',
    spec: { deployments: [{ ...deployments[0], limits: { requests_per_minute: 1 } }], queue: { wait_ms: 1 } },
  });
  // Keys, because a token of the development service is not valid for so long.
  const keyOf = async (title: string): Promise<Answer> => make('/api/keys', { title });
  key = (await keyOf('steps')).json.key;
  const limited = await keyOf('limited');
  other = limited.json.key;
  await make('/api/limits', {
    name: 'few',
    spec: { subject_type: 'key', subject: limited.json.id, requests_per_minute: 3 },
  });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await vendor[Symbol.asyncDispose]();
});
beforeEach(() => void vi.useFakeTimers({ toFake: ['Date'], now: Date.now() }));
afterEach(() => {
  vi.useRealTimers();
  vendor.behave((request, response) => answerOk(request, response));
});

const step = (hours: number): void => void vi.setSystemTime(Date.now() + hours * hour);

async function call(model: string, bearer = key, stream = false): Promise<Answer> {
  return gateway.as(null, 'POST', '/v1/chat/completions', { model, messages, stream }, { authorization: `Bearer ${bearer}` });
}

it.each([6, -6])('no stream ends when the clock is stepped by %i hours', async (hours) => {
  const steps = [hours, -hours, hours];
  vendor.behave(async (_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const part of chunks(['one ', 'two ', 'three'])) {
      response.write(part);
      // Timers of the gateway that are due fire in between.
      await new Promise((resolve) => setTimeout(resolve, 20));
      const next = steps.shift();
      if (next !== undefined) step(next);
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    response.end();
  });
  const answer = await call('m', key, true);
  expect(answer.text).toContain('data: [DONE]');
  expect(answer.text).not.toContain('"error"');
  expect(answer.text).toContain('three');
  vi.useRealTimers();
  const run = await eventually(
    async () => (await gateway.as('admin', 'GET', `/api/runs/${answer.headers.get('x-pailou-trace-id')}`)).json,
    (found) => found?.outcome !== undefined,
  );
  const { outcome, started_at: from, ended_at: to } = run;
  expect(outcome).toBe('complete');
  expect(Date.parse(to) - Date.parse(from), 'the duration is that of the call').toBeLessThan(hour);
  expect(Date.parse(to)).toBeGreaterThanOrEqual(Date.parse(from));
});

it.each([6, -6])('an open circuit tries again after its pause when the clock is stepped by %i hours', async (hours) => {
  vendor.behave((_request, response) => void response.writeHead(500).end('{}'));
  expect((await call('frail')).status).toBe(502);
  vendor.behave((request, response) => answerOk(request, response));
  step(hours);
  const { status } = await eventually(
    () => call('frail'),
    (answer) => answer.status === 200,
  );
  expect(status).toBe(200);
});

it.each([6, -6])("a deployment's requests per minute are those of this minute when the clock is stepped by %i hours", async (hours) => {
  const first = await call('narrow');
  expect([200, 429]).toContain(first.status);
  step(hours);
  const second = await call('narrow');
  expect(second.status, 'the minute is not over').toBe(429);
  expect(Number(second.headers.get('retry-after'))).toBeLessThanOrEqual(121);
});

it('a limit of requests per minute counts on when the clock is stepped back and forth', async () => {
  expect((await call('m', other)).status).toBe(200);
  step(-6);
  expect((await call('m', other)).status).toBe(200);
  step(12);
  expect((await call('m', other)).status).toBe(200);
  const refused = await call('m', other);
  expect(refused.status, 'three calls were made in this minute').toBe(429);
  expect(Number(refused.headers.get('retry-after'))).toBeLessThanOrEqual(121);
});
