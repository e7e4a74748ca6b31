/** Selects deployments for probes, spreads them over time, bounds their number and stops them. */
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it, vi } from 'vitest';
import { asks, inProbeScene, lists, probed, probers, silent, snapshotOf, soon, stage, start, stateOf, well } from './probe-scene.ts';
import { completionOf, type Script } from './scene.ts';

inProbeScene();

describe('the prober', () => {
  it('runs one probe of a deployment at a time, however long it takes', async () => {
    let now = 0;
    let most = 0;
    const slow: Script = async ({ wire }) => {
      most = Math.max(most, ++now);
      await wait(60);
      now--;
      wire.whole(200, completionOf('Hi'));
    };
    const [models, token] = [await stage.scene.vendor(slow), await stage.scene.vendor(slow)];
    for (const [vendor, ask] of [
      [models, 'models'],
      [token, 'token'],
    ] as const) {
      most = 0;
      start(stage.scene.model([probed(vendor, { ask, interval_ms: 10, timeout_ms: 5_000 })]));
      await expect.poll(() => vendor.calls.length, soon).toBeGreaterThan(3);
      await probers.pop()?.close();
      expect(most).toBe(1);
      await wait(70);
    }
  });

  it('keeps its interval, varied by up to a tenth', async () => {
    const vendor = await stage.scene.vendor(lists(well));
    const delays = vi.spyOn(globalThis, 'setTimeout');
    const random = vi.spyOn(Math, 'random');
    try {
      for (const [chance, least, most] of [
        [0, 8_000, 9_000],
        [0.999, 10_000, 11_000],
      ] as const) {
        // Without variation the first probe starts immediately.
        random.mockReturnValue(0);
        const { heard } = start(stage.scene.model([probed(vendor, { interval_ms: 10_000, timeout_ms: 60_000 })]));
        random.mockReturnValue(chance);
        delays.mockClear();
        await expect.poll(() => heard.length, soon).toBe(1);
        const next = (): (number | undefined)[] =>
          delays.mock.calls.map(([, delay]) => delay).filter((delay) => Number(delay) > 5_000 && Number(delay) < 12_000);
        await expect.poll(next, soon).toHaveLength(1);
        expect(next()[0]).toBeGreaterThan(least);
        expect(next()[0]).toBeLessThanOrEqual(most);
      }
    } finally {
      delays.mockRestore();
      random.mockRestore();
    }
  });

  it('has a bounded number of probes in progress, and runs the others in turn', async () => {
    const vendor = await stage.scene.vendor(silent);
    const models = Array.from({ length: 40 }, () => stage.scene.model([probed(vendor, { interval_ms: 60_000, timeout_ms: 600 })]));
    // The first probe of each comes within a tenth of its interval.
    for (const { deployments } of models) Object.assign(deployments[0]?.probe ?? {}, { interval_ms: 100 });
    const { heard } = start(...models);
    await expect.poll(() => vendor.calls.length, soon).toBeGreaterThanOrEqual(16);
    // Without a bound the others would start immediately.
    await wait(100);
    expect(vendor.calls.length).toBe(16);
    await expect
      .poll(() => new Set(models.map(({ deployments }) => stateOf(deployments[0]?.key ?? '')?.probe?.ok)), soon)
      .toEqual(new Set([false]));
    expect(heard.length).toBeGreaterThanOrEqual(40);
  });

  it('immediately stops probing a deployment that is no longer configured', async () => {
    const vendor = await stage.scene.vendor(silent);
    const model = stage.scene.model([probed(vendor, { timeout_ms: 60_000 })]);
    const { prober, heard, held } = start(model);
    await expect.poll(() => vendor.calls.length, soon).toBe(1);
    prober.follow(snapshotOf([]));
    stage.scene.dispatcher.follow(snapshotOf([]));
    await expect.poll(() => vendor.left, soon).toBe(1);
    await expect.poll(held, soon).toBe(0);
    await wait(120);
    expect(vendor.calls.length).toBe(1);
    expect(heard).toEqual([]);
    expect(stateOf(model.deployments[0]?.key ?? '')).toBeUndefined();
  });

  it('continues after an unrelated change, and probes immediately when the provider changed', async () => {
    const [old, next] = [await stage.scene.vendor(lists(well)), await stage.scene.vendor(lists(well))];
    const deployment = probed(old, { interval_ms: 2_000 });
    const { prober, heard } = start(stage.scene.model([deployment]));
    await expect.poll(() => heard.length, soon).toBe(1);
    for (let change = 0; change < 5; change++) prober.follow(snapshotOf([stage.scene.model([{ ...deployment, weight: change }])]));
    await wait(250);
    expect(heard.length, 'a change of the weight asks nobody').toBe(1);
    prober.follow(snapshotOf([stage.scene.model([{ ...deployment, provider: probed(next).provider }])]));
    await expect.poll(() => asks(next), soon).toBe(1);
    expect(asks(old)).toBe(1);
  });

  it('stops immediately, ends probes in progress, and leaves no timer and no connection', async () => {
    const vendor = await stage.scene.vendor(silent);
    const timers = (): number => process.getActiveResourcesInfo().filter((each) => each === 'Timeout').length;
    const before = timers();
    const { prober, records, heard, held } = start(
      stage.scene.model([probed(vendor, { timeout_ms: 60_000 })]),
      stage.scene.model([probed(vendor, { ask: 'token', timeout_ms: 60_000 })]),
    );
    await expect.poll(() => vendor.calls.length, soon).toBe(2);
    const began = performance.now();
    await prober.close();
    expect(performance.now() - began).toBeLessThan(10_000);
    expect(records).toMatchObject([{ operation: 'probe', outcome: 'aborted', attempts: [{ outcome: 'aborted' }] }]);
    await expect.poll(() => vendor.left, soon).toBe(2);
    expect(timers()).toBeLessThanOrEqual(before);
    expect(held()).toBe(0);
    await wait(120);
    expect(vendor.calls.length).toBe(2);
    expect(heard).toEqual([]);
  });
});
