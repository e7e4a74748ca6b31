/** Probes that fetch the list of models, against vendors on raw sockets. */
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import type { Deployment } from '../../src/types/snapshot.ts';
import { asks, calls, inProbeScene, list, lists, probed, silent, soon, stage, start, stateOf, status, well } from './probe-scene.ts';
import type { Script } from './scene.ts';

inProbeScene();

describe('a probe for the list of models', () => {
  it('finds a healthy deployment, reports it, and records no run', async () => {
    const vendor = await stage.scene.vendor(lists(well));
    const deployment = probed(vendor);
    const { heard, records, held } = start(stage.scene.model([deployment]));
    await expect.poll(() => heard.length, soon).toBeGreaterThan(3);
    expect(new Set(heard.map(({ verdict }) => verdict))).toEqual(new Set(['well']));
    expect(stateOf(deployment.key)).toMatchObject({ circuit: 'closed', attempts: 0, failures: 0, probe: { ok: true, reason: null } });
    expect(Math.abs(Date.now() - (stateOf(deployment.key)?.probe?.at ?? 0))).toBeLessThan(5_000);
    expect(records).toEqual([]);
    await expect.poll(held, soon).toBe(0);
  });

  it.each<[string, Script, RegExp]>([
    ['a fault of the vendor', status(500), /failed\. \(HTTP 500\)$/],
    ['an overload', status(503), /overloaded or down\. \(HTTP 503\)$/],
    ['a credential that is refused', status(401), /credential.*\(HTTP 401\)$/],
    ['a credential that may not', status(403), /credential.*\(HTTP 403\)$/],
    ['silence', silent, /^There was no answer within 400 ms\.$/],
    [
      'silence after the head',
      ({ wire }) => wire.head(200, { 'content-type': 'application/json', 'content-length': '100' }),
      /^There was no answer within 400 ms\.$/,
    ],
    ['a connection that is reset', ({ wire }) => wire.reset(), /cannot be reached\./],
    [
      'a list that is cut',
      ({ wire }) => {
        wire.head(200, { 'content-type': 'application/json', 'content-length': '100' });
        wire.raw(list);
        wire.close();
      },
      /cut the answer short\./,
    ],
  ])('finds %s, reports it in plain words, and opens the circuit after the configured failures', async (_name, script, reason) => {
    const vendor = await stage.scene.vendor(lists(script));
    const deployment = probed(vendor, { failures: 3 });
    const { heard } = start(stage.scene.model([deployment]));
    await expect.poll(() => heard.length, soon).toBeGreaterThanOrEqual(5);
    expect(heard.slice(0, 5)).toEqual(['closed', 'closed', 'closed', 'open', 'open'].map((circuit) => ({ verdict: 'ill', circuit })));
    const shown = stateOf(deployment.key);
    expect(shown).toMatchObject({ circuit: 'open', probe: { ok: false } });
    expect(shown?.probe?.reason).toMatch(reason);
  });

  it('detects a closed port', async () => {
    const vendor = await stage.scene.vendor(well);
    await vendor.close();
    const deployment = probed(vendor);
    start(stage.scene.model([deployment]));
    await expect.poll(() => stateOf(deployment.key)?.circuit, soon).toBe('open');
    expect(stateOf(deployment.key)?.probe?.reason).toBe('The vendor cannot be reached. (ECONNREFUSED)');
  });

  it.each([301, 404, 405, 429])('is inconclusive for status %i, and says so', async (code) => {
    const vendor = await stage.scene.vendor(lists(status(code)));
    const deployment = probed(vendor, { failures: 1 });
    const { heard } = start(stage.scene.model([deployment]));
    await expect.poll(() => heard.length, soon).toBeGreaterThan(3);
    expect(new Set(heard.map(({ verdict }) => verdict))).toEqual(new Set(['unclear']));
    expect(stateOf(deployment.key)).toMatchObject({ circuit: 'closed', probe: { ok: null, reason: expect.stringContaining(`${code}`) } });
  });

  it('stops reading an endless list', async () => {
    let sent = 0;
    const vendor = await stage.scene.vendor(
      lists(async ({ wire }) => {
        wire.startStream();
        for (sent = 0; sent < 2_000 && !wire.gone; sent++) {
          wire.chunk('x'.repeat(16_384));
          await wire.drained();
        }
      }),
    );
    const deployment = probed(vendor, { interval_ms: 10_000, timeout_ms: 2_000 });
    start(stage.scene.model([deployment]));
    await expect.poll(() => stateOf(deployment.key)?.probe?.ok, soon).toBe(true);
    await expect.poll(() => vendor.left, soon).toBe(1);
    expect(sent).toBeLessThan(2_000);
  });

  it('keeps calls away from an unhealthy deployment before any call fails, and admits them again', async () => {
    const failing = await stage.scene.vendor(lists(status(500)));
    const other = await stage.scene.vendor(lists(well));
    const model = stage.scene.model([probed(failing), probed(other)], { circuit: { open_ms: 60_000 } });
    start(model);
    await expect.poll(() => stateOf(model.deployments[0]?.key ?? '')?.circuit, soon).toBe('open');
    const answers = await Promise.all(Array.from({ length: 10 }, () => stage.scene.ask(model, { stream: false })));
    for (const { error, deployment } of answers)
      expect({ error, deployment }).toEqual({ error: null, deployment: model.deployments[1]?.id });
    expect(calls(failing), 'an open circuit takes no calls').toBe(0);
    failing.script = lists(well);
    await expect.poll(() => stateOf(model.deployments[0]?.key ?? '')?.circuit, soon).toBe('closed');
    expect((await stage.scene.ask(model, { stream: false })).deployment).toBe(model.deployments[0]?.id);
  });

  it('still admits a trial call after the pause, because a refused model list proves no failure', async () => {
    const vendor = await stage.scene.vendor(lists(status(403)));
    const model = stage.scene.model([probed(vendor)], { circuit: { open_ms: 250 } });
    start(model);
    const { key } = model.deployments[0] as Deployment;
    await expect.poll(() => stateOf(key)?.circuit, soon).toBe('open');
    expect((await stage.scene.ask(model, { stream: false })).error?.code).toBe('upstream_unavailable');
    await expect.poll(async () => (await stage.scene.ask(model, { stream: false })).error, { timeout: 120_000, interval: 20 }).toBeNull();
  });

  it('does not close a circuit that calls opened', async () => {
    const vendor = await stage.scene.vendor((call) => (call.path.endsWith('/models') ? well(call) : status(500)(call)));
    const model = stage.scene.model([probed(vendor)], { circuit: { failures: 1, open_ms: 400 } });
    const { heard } = start(model);
    const { key } = model.deployments[0] as Deployment;
    await stage.scene.ask(model, { stream: false });
    expect(stateOf(key)?.circuit).toBe('open');
    const before = heard.length;
    await expect.poll(() => heard.length, soon).toBeGreaterThan(before + 3);
    expect(stateOf(key)).toMatchObject({ circuit: 'open', probe: { ok: true } });
    vendor.script = lists(well);
    await wait(420);
    expect((await stage.scene.ask(model, { stream: false })).error).toBeNull();
    expect(stateOf(key)?.circuit).toBe('closed');
  });

  it('is one request for all deployments of a provider', async () => {
    const vendor = await stage.scene.vendor(lists(well));
    const first = probed(vendor, { interval_ms: 200 });
    const models = [stage.scene.model([first])];
    for (let more = 0; more < 9; more++) models.push(stage.scene.model([{ ...first, key: `${first.key} ${more}` }]));
    const { heard } = start(...models);
    await expect.poll(() => heard.length, soon).toBeGreaterThanOrEqual(20);
    expect(asks(vendor)).toBeLessThanOrEqual(3);
    for (const { deployments } of models) expect(stateOf(deployments[0]?.key ?? '')?.probe?.ok).toBe(true);
  });
});
