/** Probes that request one token, against vendors on raw sockets. */
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { compilePrice } from '../../src/types/price.ts';
import type { Deployment } from '../../src/types/snapshot.ts';
import { completed, inProbeScene, probe, probed, probers, silent, soon, stage, start, stateOf, status } from './probe-scene.ts';
import { completionOf, type Script } from './scene.ts';

inProbeScene();

describe('a probe for a token', () => {
  const price = compilePrice({ currency: 'USD', input: '1', output: '3' });

  it('is one call of one token, recorded once with its tokens and its cost', async () => {
    const vendor = await stage.scene.vendor(completed);
    const deployment = probed(vendor, { ask: 'token' }, { price });
    const { records, heard } = start(stage.scene.model([deployment]));
    await expect.poll(() => records.length, soon).toBeGreaterThan(2);
    await probers[0]?.close();
    expect(vendor.calls[0]?.body).toMatchObject({ max_tokens: 1, model: deployment.model });
    expect(records.filter(({ outcome }) => outcome === 'complete').length).toBe(heard.length);
    expect(records.length).toBe(vendor.calls.length);
    expect(records[0]).toMatchObject({
      operation: 'probe',
      capability: 'model/m',
      tenant: 't',
      subject: 'pailou',
      revision: 7,
      outcome: 'complete',
      deployment: deployment.id,
      usage: { inputTokens: 5, outputTokens: 2 },
      cost: 11,
      currency: 'USD',
      attempts: [{ outcome: 'complete', deployment: deployment.id }],
    });
    expect(stateOf(deployment.key), 'a word is no measure for calls').toMatchObject({ firstTokenMs: null });
  });

  it('is an estimate where the vendor reports no tokens', async () => {
    const vendor = await stage.scene.vendor(({ wire }) => wire.whole(200, completionOf('Hi').replace(/,"usage":.*$/, '}')));
    const { records } = start(stage.scene.model([probed(vendor, { ask: 'token' })]));
    await expect.poll(() => records.length, soon).toBeGreaterThan(0);
    expect(records[0]?.usage).toMatchObject({ estimated: true, inputTokens: expect.any(Number) });
  });

  it('is one word for an embedding model', async () => {
    const vendor = await stage.scene.vendor(({ wire }) =>
      wire.whole(200, JSON.stringify({ data: [{ index: 0, embedding: [1, 2] }], usage: { prompt_tokens: 1, total_tokens: 1 } })),
    );
    const provider = { instance: { formats: { embeddings: 'openai' } } };
    const deployment = stage.scene.deployment('vectors', vendor, { provider: provider as never, probe: probe({ ask: 'token' }), price });
    const { records } = start(stage.scene.model([deployment], { operations: ['embeddings'] }));
    await expect.poll(() => records.length, soon).toBeGreaterThan(0);
    expect(vendor.calls[0]?.body).toMatchObject({ input: 'Hi' });
    expect(records[0]).toMatchObject({ outcome: 'complete', usage: { inputTokens: 1, outputTokens: 0 }, cost: 1 });
  });

  it.each<[string, Script, string]>([
    ['a fault', status(500), 'upstream_error'],
    ['a credential that is refused', status(401), 'upstream_authentication'],
    ['silence', silent, 'upstream_timeout'],
    ['a cut', ({ wire }) => wire.reset(), 'upstream_unavailable'],
  ])('records %s as a failure and opens the circuit', async (_name, script, code) => {
    const vendor = await stage.scene.vendor(script);
    const deployment = probed(vendor, { ask: 'token' });
    const { records, heard } = start(stage.scene.model([deployment]));
    await expect.poll(() => heard.length, soon).toBeGreaterThanOrEqual(3);
    expect(heard.slice(0, 3).map(({ circuit }) => circuit)).toEqual(['closed', 'closed', 'open']);
    expect(records[0]).toMatchObject({ outcome: 'error', error: code, usage: null, attempts: [{ error: code }] });
  });

  it('that the vendor does not understand is inconclusive', async () => {
    const vendor = await stage.scene.vendor(status(400));
    const deployment = probed(vendor, { ask: 'token', failures: 1 });
    const { heard } = start(stage.scene.model([deployment]));
    await expect.poll(() => heard.length, soon).toBeGreaterThan(2);
    expect(stateOf(deployment.key)).toMatchObject({ circuit: 'closed', probe: { ok: null } });
  });

  it('closes a circuit that calls opened, without waiting for the pause to end', async () => {
    const vendor = await stage.scene.vendor(status(500));
    const model = stage.scene.model([probed(vendor, { ask: 'token', failures: 100 })], { circuit: { failures: 1, open_ms: 60_000 } });
    await stage.scene.ask(model, { stream: false });
    const { key } = model.deployments[0] as Deployment;
    expect(stateOf(key)?.circuit).toBe('open');
    start(model);
    vendor.script = completed;
    await expect.poll(() => stateOf(key)?.circuit, soon).toBe('closed');
    expect((await stage.scene.ask(model, { stream: false })).error).toBeNull();
  });

  it('excludes calls during its trial, and does not start during a trial call', async () => {
    const vendor = await stage.scene.vendor(status(500));
    const model = stage.scene.model([probed(vendor, { ask: 'token', failures: 100, timeout_ms: 2_000 })], {
      circuit: { failures: 1, open_ms: 1 },
    });
    await stage.scene.ask(model, { stream: false });
    vendor.script = silent;
    start(model);
    await expect.poll(() => vendor.calls.length, soon).toBe(2);
    await wait(20);
    expect((await stage.scene.ask(model, { stream: false })).error?.code).toBe('upstream_unavailable');
    expect(vendor.calls.length).toBe(2);
    await probers.pop()?.close();
    // The reverse: a call is the trial, and the probe does not start.
    const call = stage.scene.ask(model, { stream: false });
    await expect.poll(() => vendor.calls.length, soon).toBe(3);
    start(model);
    await wait(120);
    expect(vendor.calls.length).toBe(3);
    vendor.calls[2]?.wire.whole(200, completionOf('late'));
    expect((await call).error).toBeNull();
  });

  it('is not made at a deployment that is at its limit', async () => {
    const vendor = await stage.scene.vendor(silent);
    const model = stage.scene.model([probed(vendor, { ask: 'token' }, { limits: { concurrency: 1 } })]);
    const call = stage.scene.ask(model, { stream: false });
    await expect.poll(() => vendor.calls.length, soon).toBe(1);
    start(model);
    await wait(120);
    expect(vendor.calls.length).toBe(1);
    vendor.calls[0]?.wire.whole(200, completionOf('late'));
    await call;
  });
});
