/** Admission to a deployment: backpressure, and recovery after failures. */
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Provider } from '../../src/types/provider.ts';
import type { Deployment } from '../../src/types/snapshot.ts';
import { end, left, rows, say, type Scene, type Script, startScene, stream } from './scene.ts';

let scene: Scene;
beforeAll(async () => {
  scene = await startScene();
});
afterAll(() => scene.close());

const well = stream([say('well'), ...end()]);
const failing: Script = ({ wire }) => wire.whole(500, '{"error":{"message":"no"}}');
const numbers = ({ key }: Deployment) => scene.dispatcher.health()[key];

describe('Retry-After', () => {
  it.each([429, 503])('of a %d keeps all calls away until it has passed', async (status) => {
    const busy = await scene.vendor(({ wire }) => wire.whole(status, '{"error":{"message":"later"}}', { 'retry-after': '30' }));
    const model = scene.model([scene.deployment('busy', busy), scene.deployment('b', await scene.vendor(well))]);
    for (let call = 0; call < 5; call++) expect((await scene.ask(model)).deployment).toBe('m#b');
    expect(busy.calls).toHaveLength(1);
  });

  it.each([
    ['1', 1_000, 'a'],
    ['2', 1_999, 'b'],
    ['5', undefined, 'a'],
    ['6', undefined, 'b'],
  ])('of %s seconds with longest_wait_ms %s is answered by %s', async (asked, longest, by) => {
    const limited: Script = (call) =>
      call.before === 0 ? call.wire.whole(429, '{"error":{"message":"later"}}', { 'retry-after': asked }) : well(call);
    const busy = await scene.vendor(limited);
    const retry = { same: 1, ...(longest === undefined ? {} : { longest_wait_ms: longest }) };
    const model = scene.model([scene.deployment('a', busy), scene.deployment('b', await scene.vendor(well))], { retry });
    expect(await scene.ask(model)).toMatchObject({ deployment: `m#${by}`, error: null });
    expect(busy.calls).toHaveLength(by === 'a' ? 2 : 1);
  });

  it('above any plausible value becomes a number that fits in a header', async () => {
    const busy = await scene.vendor(({ wire }) => wire.whole(429, '{}', { 'retry-after': '9'.repeat(30) }));
    const result = await scene.ask(scene.model([scene.deployment('busy', busy)]));
    expect(result.error?.retryAfterSeconds).toBe(31 * 86_400);
  });
});

describe('a half-open circuit', () => {
  const circuit = { failures: 1, open_ms: 100 };

  it('closes at the first token, not at the end of a long answer', async () => {
    const vendor = await scene.vendor(failing);
    const deployment = scene.deployment('a', vendor);
    const model = scene.model([deployment], { circuit, limits: { idle_ms: 20_000 } });
    await scene.ask(model);
    expect(numbers(deployment)?.circuit).toBe('open');
    await sleep(150);
    let finish = (): void => {};
    const finished = new Promise<void>((resolve) => (finish = resolve));
    vendor.script = async ({ wire, before }) => {
      wire.startStream();
      wire.chunk(say('well'));
      if (before === 1) await finished;
      for (const each of end()) wire.chunk(each);
      wire.endStream();
    };
    const long = scene.ask(model);
    await expect.poll(() => numbers(deployment)).toMatchObject({ circuit: 'closed', inFlight: 1 });
    expect((await scene.ask(model)).error, 'beside the trial call').toBeNull();
    finish();
    expect((await long).error).toBeNull();
  });

  it('opens again when the answer that closed it is interrupted', async () => {
    const vendor = await scene.vendor(failing);
    const deployment = scene.deployment('a', vendor);
    const model = scene.model([deployment], { circuit });
    await scene.ask(model);
    await sleep(150);
    vendor.script = stream([say('well')], 'close');
    expect((await scene.ask(model)).error?.code).toBe('upstream_interrupted');
    expect(numbers(deployment)?.circuit).toBe('open');
  });
});

describe('a permit', () => {
  it('is released at the time limit of the call, although its reader does not read', async () => {
    const endless: Script = ({ wire }) => {
      wire.startStream();
      for (let word = 0; word < 5; word++) wire.chunk(say('word '));
    };
    const deployment = scene.deployment('a', await scene.vendor(endless), { limits: { concurrency: 1 } });
    const model = scene.model([deployment], { limits: { first_token_ms: 1_000, idle_ms: 1_000, total_ms: 1_000 } });
    let read = (): void => {};
    const reads = new Promise<void>((resolve) => (read = resolve));
    const asking = scene.ask(model, { rest: () => reads });
    expect(numbers(deployment)?.inFlight).toBe(1);
    await expect.poll(() => numbers(deployment)?.inFlight).toBe(0);
    // The vendor is not at fault, so no reader may open its circuit.
    expect(numbers(deployment)).toMatchObject({ inFlight: 0, failures: 0 });
    read();
    const result = await asking;
    expect(result.error?.code).toBe('upstream_timeout');
    expect(rows(result.record)).toEqual(['1 m#a aborted client_closed_request']);
  });
});

describe('a credential that must be fetched first', () => {
  const silent = (asked: { count: number }): Partial<Provider> => ({
    authorize: () => {
      asked.count++;
      return new Promise<void>(() => {});
    },
  });

  it('is fetched within the time limits, and the next deployment answers', async () => {
    const asked = { count: 0 };
    const never = await scene.vendor(failing);
    const first = scene.deployment('a', never, { provider: { instance: silent(asked) } as never });
    const model = scene.model([first, scene.deployment('b', await scene.vendor(well))], {
      limits: { first_token_ms: 200, idle_ms: 200, total_ms: 2_000 },
    });
    const result = await scene.ask(model);
    expect(rows(result.record)).toEqual(['1 m#a error upstream_timeout', '2 m#b complete']);
    expect(asked.count).toBe(1);
    expect(never.calls).toHaveLength(0);
  });

  it('is not awaited when the caller leaves', async () => {
    const first = scene.deployment('a', await scene.vendor(failing), { provider: { instance: silent({ count: 0 }) } as never });
    const caller = new AbortController();
    const asking = scene.ask(scene.model([first]), { signal: caller.signal });
    await expect.poll(() => numbers(first)?.inFlight).toBe(1);
    caller.abort(left());
    expect((await asking).record.outcome).toBe('aborted');
    expect(numbers(first)?.inFlight).toBe(0);
  });
});

it('a whole answer is awaited no longer than the total limit', async () => {
  const slow = await scene.vendor(() => {});
  const result = await scene.ask(
    scene.model([scene.deployment('a', slow)], { limits: { first_token_ms: 200, idle_ms: 200, total_ms: 300 } }),
    {
      stream: false,
    },
  );
  expect(result.error?.code).toBe('upstream_timeout');
});
