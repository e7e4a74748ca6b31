/** A second attempt beside one that takes too long: the first answer counts, the other attempt is ended and recorded. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LatencyWindow } from '../../src/dispatch/latency-window.ts';
import type { Deployment, ModelEntry } from '../../src/types/snapshot.ts';
import {
  completionOf,
  end,
  left,
  rows,
  say,
  type Scene,
  type Script,
  type ScriptedVendor,
  startScene,
  stream,
  type CallResult,
} from './scene.ts';

let scene: Scene;
beforeAll(async () => {
  scene = await startScene();
});
afterAll(() => scene.close());

const wait = (milliseconds: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, milliseconds));
/** Answers in full after this delay. */
const after =
  (milliseconds: number, text: string): Script =>
  async (call) => {
    if (milliseconds > 0) await wait(milliseconds);
    if (call.body.stream === true) await stream([say(text), ...end(5, 2)])(call);
    else call.wire.whole(200, completionOf(text));
  };
const silent: Script = () => {};
/** No test waits for these limits. */
const limits = { first_token_ms: 20_000, idle_ms: 20_000, total_ms: 30_000 };
/** Runs the script once the condition holds, such as the end of the other attempt. */
const once =
  (holds: () => boolean, script: Script): Script =>
  async (call) => {
    while (!holds()) await wait(5);
    await script(call);
  };

interface Race {
  readonly model: ModelEntry;
  readonly vendors: readonly ScriptedVendor[];
  readonly key: (index: number) => string;
}
async function race(scripts: readonly Script[], spec: object = {}, more: Partial<Deployment>[] = []): Promise<Race> {
  const vendors = await Promise.all(scripts.map((script) => scene.vendor(script)));
  const deployments = vendors.map((vendor, index) => scene.deployment('abc'[index] ?? 'x', vendor, more[index]));
  const model = scene.model(deployments, { hedge: { unknown_ms: 100 }, limits, ...spec });
  return { model, vendors, key: (index) => model.deployments[index]?.key ?? '' };
}
/** Sorted by deployment, because the order in which two attempts end depends on timing. */
const outcomes = ({ record }: CallResult): string[] =>
  rows(record)
    .map((row) => row.slice(2))
    .toSorted();
const numbers = (key: string) => scene.dispatcher.health()[key];

describe.each([true, false])('streamed: %s', (streamed) => {
  it('the second wins where the first is slow, and the first is ended at its vendor', async () => {
    const { model, vendors, key } = await race([silent, after(0, 'quick')]);
    const result = await scene.ask(model, { stream: streamed });
    expect(result).toMatchObject({ text: 'quick', finish: 'stop', error: null, deployment: 'm#b', attempts: 2 });
    expect(outcomes(result)).toEqual(['m#a aborted', 'm#b complete']);
    expect(result.record.attempts.find(({ outcome }) => outcome === 'aborted')).toMatchObject({
      error: null,
      firstTokenAt: null,
      detail: 'another attempt was faster',
    });
    expect(result.record).toMatchObject({ outcome: 'complete', deployment: 'm#b', usage: { inputTokens: 5, outputTokens: 2 } });
    await expect.poll(() => vendors[0]?.left).toBe(1);
    expect(numbers(key(0)), 'no fault and no time of the first is noted').toMatchObject({ failures: 0, inFlight: 0, firstTokenMs: null });
  });

  it('the first wins where it is only slightly slow, and the second is ended at its vendor', async () => {
    const { model, vendors, key } = await race([silent, silent]);
    const [slow, other] = vendors as [ScriptedVendor, ScriptedVendor];
    slow.script = once(() => other.calls.length === 1, after(0, 'first'));
    const result = await scene.ask(model, { stream: streamed });
    expect(result).toMatchObject({ text: 'first', finish: 'stop', error: null, deployment: 'm#a', attempts: 2 });
    expect(outcomes(result)).toEqual(['m#a complete', 'm#b aborted']);
    await expect.poll(() => vendors[1]?.left).toBe(1);
    expect(numbers(key(1))).toMatchObject({ failures: 0, inFlight: 0, firstTokenMs: null });
  });

  it('no second attempt starts when the first is quick', async () => {
    const { model, vendors } = await race([after(0, 'first'), after(0, 'second')], { hedge: { unknown_ms: 800 } });
    expect(await scene.ask(model, { stream: streamed })).toMatchObject({ text: 'first', attempts: 1 });
    await wait(900);
    expect(vendors[1]?.calls).toHaveLength(0);
  });

  it('where the first fails, the second goes on', async () => {
    const { model, vendors, key } = await race([silent, silent]);
    const [first, second] = vendors as [ScriptedVendor, ScriptedVendor];
    first.script = once(
      () => second.calls.length === 1,
      ({ wire }) => wire.whole(500, '{}'),
    );
    second.script = once(() => numbers(key(0))?.failures === 1, after(0, 'second'));
    const result = await scene.ask(model, { stream: streamed });
    expect(result).toMatchObject({ text: 'second', error: null, deployment: 'm#b', attempts: 2 });
    expect(rows(result.record)).toEqual(['1 m#a error upstream_error', '2 m#b complete']);
  });

  it('where the second fails, the first goes on', async () => {
    const { model, vendors, key } = await race([silent, ({ wire }) => wire.reset()]);
    (vendors[0] as ScriptedVendor).script = once(() => numbers(key(1))?.failures === 1, after(0, 'first'));
    const result = await scene.ask(model, { stream: streamed });
    expect(result).toMatchObject({ text: 'first', error: null, deployment: 'm#a', attempts: 2 });
    expect(rows(result.record)).toEqual(['1 m#b error upstream_unavailable', '2 m#a complete']);
  });

  it('where both fail, the third is tried, and then the call fails', async () => {
    const failing: Script = ({ wire }) => wire.whole(500, '{}');
    const bothFail = async (...others: readonly Script[]): Promise<Race> => {
      const made = await race([silent, failing, ...others]);
      (made.vendors[0] as ScriptedVendor).script = once(() => numbers(made.key(1))?.failures === 1, failing);
      return made;
    };
    const saved = await bothFail(after(0, 'third'));
    expect(await scene.ask(saved.model, { stream: streamed })).toMatchObject({ text: 'third', deployment: 'm#c', attempts: 3 });
    const lost = await bothFail();
    const result = await scene.ask(lost.model, { stream: streamed });
    expect(result.error?.code).toBe('upstream_error');
    expect(rows(result.record)).toEqual(['1 m#b error upstream_error', '2 m#a error upstream_error']);
    expect(lost.vendors.map((vendor) => vendor.calls.length)).toEqual([1, 1]);
  });

  it('an error of the request itself ends both', async () => {
    const { model, vendors } = await race([silent, silent]);
    const [first, second] = vendors as [ScriptedVendor, ScriptedVendor];
    first.script = once(
      () => second.calls.length === 1,
      ({ wire }) => wire.whole(400, '{"error":{"message":"too long","code":"context_length_exceeded"}}'),
    );
    const result = await scene.ask(model, { stream: streamed });
    expect(result.error?.code).toBe('context_length_exceeded');
    await expect.poll(() => vendors[1]?.left).toBe(1);
  });

  it('a client disconnect ends both', async () => {
    const { model, vendors } = await race([silent, silent]);
    const controller = new AbortController();
    const asked = scene.ask(model, { stream: streamed, signal: controller.signal });
    await expect.poll(() => vendors[1]?.calls.length).toBe(1);
    controller.abort(left());
    const result = await asked;
    expect(result.record.outcome).toBe('aborted');
    expect(result.record.attempts.map(({ outcome }) => outcome)).toEqual(['aborted', 'aborted']);
    await expect.poll(() => vendors.map((vendor) => vendor.left)).toEqual([1, 1]);
  });
});

describe('the second attempt', () => {
  it('counts as one of the attempts', async () => {
    const { model, vendors } = await race([after(300, 'first'), after(0, 'second')], { limits: { ...limits, attempts: 1 } });
    expect(await scene.ask(model)).toMatchObject({ text: 'first', attempts: 1 });
    expect(vendors[1]?.calls).toHaveLength(0);
  });

  it('needs a permit: a deployment at its limit is skipped', async () => {
    const { model, vendors } = await race([silent, silent, after(0, 'third')], {}, [{}, { limits: { concurrency: 1 } }]);
    const controller = new AbortController();
    const busy = scene.ask({ ...model, deployments: [model.deployments[1] as Deployment] }, { signal: controller.signal });
    await expect.poll(() => vendors[1]?.calls.length).toBe(1);
    expect(await scene.ask(model)).toMatchObject({ text: 'third', deployment: 'm#c', attempts: 2 });
    controller.abort(left());
    await busy;
    expect(vendors[1]?.calls).toHaveLength(1);
  });

  it('is not made for a model without hedging', async () => {
    const { model, vendors } = await race([after(300, 'first'), after(0, 'second')], { hedge: undefined });
    expect(await scene.ask(model)).toMatchObject({ text: 'first', attempts: 1 });
    expect(vendors[1]?.calls).toHaveLength(0);
  });

  it('waits for the configured percentile of recent calls, once enough are measured', async () => {
    const { model, vendors } = await race([after(0, 'first'), after(0, 'second')], { hedge: { samples: 5, least_ms: 100 } });
    const slow = vendors[0] as ScriptedVendor;
    slow.script = after(300, 'first');
    expect(await scene.ask(model), 'too few are known: it is not made').toMatchObject({ text: 'first', attempts: 1 });
    slow.script = after(0, 'first');
    for (let call = 0; call < 99; call++) await scene.ask(model);
    slow.script = silent;
    const startedAt = Date.now();
    expect(await scene.ask(model)).toMatchObject({ text: 'second', attempts: 2 });
    expect(Date.now() - startedAt, 'not sooner than the least').toBeGreaterThanOrEqual(100);
    slow.script = after(300, 'first');
    expect(await scene.ask(model, { stream: false, body: {} }), 'times of streams say nothing of whole answers').toMatchObject({
      text: 'first',
      attempts: 1,
    });
  });

  it('that loses after its answer arrived is ended too', async () => {
    // Both attempts answer at about the same time, repeatedly: the loser leaves nothing behind.
    const talkative =
      (name: string): Script =>
      async ({ wire }) => {
        await wait(name === 'a' ? 150 : 50);
        wire.startStream();
        for (let word = 0; word < 20 && !wire.gone; word++) {
          wire.chunk(say(`${name} `));
          await wait(2);
        }
        for (const each of end(5, 20)) wire.chunk(each);
        wire.endStream();
      };
    const { model, key } = await race([talkative('a'), talkative('b')]);
    const all = await Promise.all(Array.from({ length: 40 }, () => scene.ask(model)));
    for (const result of all) {
      expect(new Set(result.text.trim().split(' ')).size, 'one voice only').toBe(1);
      expect(result.text.trim().split(' ')).toHaveLength(20);
      expect(result.record.attempts.filter(({ outcome }) => outcome === 'complete')).toHaveLength(1);
      expect(result.record.attempts).toHaveLength(result.attempts ?? 0);
    }
    expect([numbers(key(0))?.inFlight, numbers(key(1))?.inFlight]).toEqual([0, 0]);
  });

  it('and a later cut work together: the answer is resumed', async () => {
    const { model } = await race([silent, stream([say('Many ro')], 'close'), after(0, 'Many roads.')], { interrupted: 'resume' });
    const result = await scene.ask(model);
    expect(result).toMatchObject({ text: 'Many roads.', finish: 'stop', error: null, deployment: 'm#b', attempts: 2 });
    expect(rows(result.record)).toEqual(['1 m#a aborted', '2 m#b error upstream_interrupted', '3 m#c complete']);
  });
});

it('percentiles are computed from the last hundred attempts', () => {
  const times = new LatencyWindow();
  expect(times.percentile(95, 1)).toBeNull();
  for (let each = 1; each <= 100; each++) times.add(each);
  expect(times.percentile(95, 20)).toBe(95);
  expect(times.percentile(50, 20)).toBe(50);
  for (let each = 0; each < 100; each++) times.add(7);
  expect(times.percentile(99, 20)).toBe(7);
  const few = new LatencyWindow();
  for (const each of [30, 10, 20]) few.add(each);
  expect(few.percentile(95, 3)).toBe(30);
  expect(few.percentile(95, 4)).toBeNull();
});
