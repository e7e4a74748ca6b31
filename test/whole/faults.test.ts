/** Every row of "what happens when the world misbehaves", against a vendor on a raw socket, streamed and whole. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { text } from '../../faults/answers.ts';
import { type FaultServer, startFaultServer } from '../../faults/server.ts';
import { checkStream } from '../contract/strict-chat.ts';
import { eventually, startGateway, type TestGateway } from './gateway.ts';

let gateway: TestGateway;
let vendor: FaultServer;
/** For vendors that are silent. For all others no limit of time ends a call, however busy the machine is. */
const short = { first_token_ms: 1_500, idle_ms: 1_500, total_ms: 20_000 };
const long = { first_token_ms: 30_000, idle_ms: 30_000, total_ms: 40_000 };
const limitsFor = (upstream: readonly string[]) => (upstream.some((model) => /^(?:silent|stall)/.test(model)) ? short : long);

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

async function makeModel(name: string, upstream: readonly string[], more: object = {}): Promise<void> {
  const deployments = upstream.map((model, tier) => ({ provider: 'faults', model, tier }));
  const made = await gateway.as('admin', 'POST', '/api/models', { name, spec: { deployments, limits: limitsFor(upstream), ...more } });
  expect(made.status, made.text).toBe(201);
}

interface Outcome {
  readonly status: number;
  /** The text that the caller received. */
  readonly said: string;
  /** The finish reason; null without one. */
  readonly finish: string | null;
  /** The code of the error, instead of an answer or at its end. */
  readonly error: string | null;
  readonly deployment: string | null;
  readonly attempts: number | null;
}

async function ask(model: string, stream: boolean): Promise<Outcome> {
  const answer = await gateway.as('developer', 'POST', '/v1/chat/completions', {
    model,
    stream,
    messages: [{ role: 'user', content: 'Hello' }],
  });
  const headers = {
    deployment: answer.headers.get('x-pailou-deployment'),
    attempts: answer.headers.has('x-pailou-attempts') ? Number(answer.headers.get('x-pailou-attempts')) : null,
  };
  if (answer.json !== null) {
    const choice = answer.json.choices?.[0];
    return {
      status: answer.status,
      said: choice?.message.content ?? '',
      finish: choice?.finish_reason ?? null,
      error: answer.json.error?.code ?? null,
      ...headers,
    };
  }
  const events = answer.text
    .split('\n\n')
    .filter((part) => part.startsWith('data: ') && part !== 'data: [DONE]')
    .map((part) => JSON.parse(part.slice(6)));
  return {
    status: answer.status,
    said: events.map((event) => event.choices?.[0]?.delta?.content ?? '').join(''),
    finish: events.map((event) => event.choices?.[0]?.finish_reason).find((reason) => typeof reason === 'string') ?? null,
    error: events.find((event) => event.error !== undefined)?.error.code ?? null,
    ...headers,
  };
}

const whole: Partial<Outcome> = { status: 200, said: text, finish: 'stop', error: null };

/** Faults before visible text: an error with one deployment, unnoticed with a second one. */
const early: readonly (readonly [behaviour: string, code: string, tries: number])[] = [
  ['reset', 'upstream_unavailable', 2],
  ['close', 'upstream_unavailable', 2],
  ['status-500', 'upstream_error', 2],
  ['status-502', 'upstream_unavailable', 2],
  ['status-503', 'upstream_unavailable', 2],
  ['status-504', 'upstream_timeout', 2],
  ['status-401', 'upstream_authentication', 1],
  ['status-402', 'upstream_quota_exhausted', 1],
  ['status-429', 'rate_limited', 1],
  ['silent', 'upstream_timeout', 1],
  ['error-0', 'upstream_unavailable', 2],
  ['html', 'upstream_invalid_response', 1],
  ['garbage', 'upstream_invalid_response', 1],
];

describe.each([true, false])('streamed: %s', (stream) => {
  const suffix = stream ? 's' : 'w';

  it.each(early)('%s: an explicit error alone, unnoticed with a second deployment', async (behaviour, code, tries) => {
    const name = `${behaviour}-${suffix}`;
    const silentWhole = behaviour === 'silent' && !stream ? { limits: { ...short, total_ms: 2_000 } } : {};
    await makeModel(`${name}-alone`, [behaviour], silentWhole);
    const before = vendor.calls.get(behaviour) ?? 0;
    expect(await ask(`${name}-alone`, stream)).toMatchObject({ error: code, finish: null, said: '' });
    expect((vendor.calls.get(behaviour) ?? 0) - before, 'tries that the vendor saw').toBe(tries);
    // A whole answer that never arrives uses the whole time of the call; no time is left for a second.
    if (behaviour === 'silent' && !stream) return;
    await makeModel(`${name}-pair`, [behaviour, 'ok']);
    expect(await ask(`${name}-pair`, stream)).toMatchObject({ ...whole, deployment: `${name}-pair#faults/ok` });
  });

  it.each(['no-done', 'no-usage', 'no-finish', 'early-finish-2', ...(stream ? ['trickle-1', 'trickle-3'] : [])])(
    '%s is a whole answer',
    async (behaviour) => {
      await makeModel(`${behaviour}-${suffix}`, [behaviour]);
      expect(await ask(`${behaviour}-${suffix}`, stream)).toMatchObject(whole);
    },
  );

  it('a filtered answer has content_filter and is not retried elsewhere', async () => {
    await makeModel(`filtered-${suffix}`, ['filtered', 'ok']);
    const outcome = await ask(`filtered-${suffix}`, stream);
    expect(outcome).toMatchObject({ attempts: 1, finish: stream ? 'content_filter' : 'stop' });
  });

  it('a context that is too long is a caller’s error: returned at once, without a retry', async () => {
    await makeModel(`long-${suffix}`, ['too-long', 'ok']);
    const before = vendor.calls.get('too-long') ?? 0;
    expect(await ask(`long-${suffix}`, stream)).toMatchObject({ status: 400, error: 'context_length_exceeded' });
    expect((vendor.calls.get('too-long') ?? 0) - before).toBe(1);
  });

  it('a short rate limit is waited out; a long one leads to the next deployment', async () => {
    const soon = stream ? 'limit-1' : 'limit-01';
    await makeModel(`soon-${suffix}`, [soon, 'ok']);
    expect(await ask(`soon-${suffix}`, stream)).toMatchObject({ ...whole, deployment: `soon-${suffix}#faults/${soon}`, attempts: 2 });
    await makeModel(`late-${suffix}`, [`limit-${stream ? 60 : 61}`, 'ok']);
    // Longer than the whole time of the call, so it is not waited out.
    expect(await ask(`late-${suffix}`, stream)).toMatchObject({ ...whole, deployment: `late-${suffix}#faults/ok`, attempts: 2 });
  });
});

describe('a stream that is lost after it was visible', () => {
  it.each(['cut-3', 'reset-3', 'stall-3', 'end-3', 'error-3', 'odd-finish', 'malformed-3'])(
    '%s: never a clean end, no word twice, and the next deployment is not asked',
    async (behaviour) => {
      await makeModel(`lost-${behaviour}`, [behaviour, 'ok']);
      const outcome = await ask(`lost-${behaviour}`, true);
      expect(outcome.error).toMatch(/^upstream_/);
      expect(outcome.finish).toBeNull();
      expect(text.startsWith(outcome.said)).toBe(true);
      expect(outcome.said).not.toBe('');
      expect(outcome.deployment).toBe(`lost-${behaviour}#faults/${behaviour}`);
    },
  );

  it('is recorded with its known usage', async () => {
    await makeModel('booked', ['cut-4']);
    await ask('booked', true);
    const run = await eventually(
      async () =>
        (
          (await gateway.as('developer', 'GET', '/api/runs?capability=model/booked')).json.data as {
            outcome: string;
            usage: { output_tokens: number; estimated: boolean };
          }[]
        )[0],
      (found) => found !== undefined,
    );
    expect(run).toMatchObject({ outcome: 'error', usage: { estimated: true } });
    expect(run?.usage.output_tokens).toBeGreaterThan(0);
  });
});

it('broken framing before any text leads to the next deployment', async () => {
  await makeModel('framing', ['bad-chunk', 'ok']);
  expect(await ask('framing', true)).toMatchObject({ ...whole, deployment: 'framing#faults/ok' });
});

it.each(['cut-1', 'reset-1', 'wrong-length'])('a whole answer that is cut (%s) is retried elsewhere', async (behaviour) => {
  await makeModel(`half-${behaviour}`, [behaviour, 'ok']);
  expect(await ask(`half-${behaviour}`, false)).toMatchObject({ ...whole, deployment: `half-${behaviour}#faults/ok` });
});

it.each(['blank-20', 'line-80'])('%s: bounded memory and an explicit end', async (behaviour) => {
  await makeModel(behaviour, [behaviour, 'ok'], { limits: { ...short, first_token_ms: 4_000 } });
  const before = process.memoryUsage().rss;
  const outcome = await ask(behaviour, true);
  expect(outcome.error !== null || outcome.said === text).toBe(true);
  expect(process.memoryUsage().rss - before).toBeLessThan(300 * 1024 * 1024);
});

it('a client disconnect ends the vendor’s work at once', async () => {
  await makeModel('stalling', ['stall-2'], { limits: { ...long, idle_ms: 60_000 } });
  const before = vendor.left;
  const controller = new AbortController();
  const response = await fetch(`${gateway.url}/v1/chat/completions`, {
    method: 'POST',
    signal: controller.signal,
    headers: { authorization: `Bearer ${await gateway.token('developer')}`, 'content-type': 'application/json' },
    body: JSON.stringify({ model: 'stalling', stream: true, messages: [{ role: 'user', content: 'Hello' }] }),
  });
  await response.body?.getReader().read();
  controller.abort();
  await eventually(
    async () => vendor.left - before,
    (left) => left === 1,
    1_000,
  );
});

it('a flapping vendor is not noticed by 60 concurrent callers', async () => {
  // No time limit is tested here, and 60 calls at once are slow on a busy machine.
  await makeModel('flapping', ['flap-3', 'ok'], { limits: { first_token_ms: 60_000, idle_ms: 60_000, total_ms: 60_000 } });
  const outcomes = await Promise.all(Array.from({ length: 60 }, (_, index) => ask('flapping', index % 2 === 0)));
  for (const outcome of outcomes) expect(outcome).toMatchObject(whole);
});

it('healthy streams match the contract', async () => {
  await makeModel('healthy', ['ok']);
  const answer = await gateway.as('developer', 'POST', '/v1/chat/completions', {
    model: 'healthy',
    stream: true,
    messages: [{ role: 'user', content: 'Hello' }],
  });
  expect(checkStream(answer.text)).toEqual([]);
});
