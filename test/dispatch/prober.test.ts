/** Probes of deployments, against vendors on raw sockets. */
import { setTimeout as wait } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { createProber, type Prober, type ProbeVerdict } from '../../src/dispatch/prober.ts';
import { createLogger } from '../../src/telemetry/log.ts';
import type { ProbeSpec } from '../../src/types/resources.ts';
import type { RunRecord } from '../../src/types/run.ts';
import type { Deployment, ModelEntry, Snapshot } from '../../src/types/snapshot.ts';
import { completionOf, type Scene, type Script, type ScriptedVendor, startScene } from './scene.ts';

let scene: Scene;
const probers: Prober[] = [];
beforeAll(async () => {
  scene = await startScene();
});
afterEach(() => Promise.all(probers.splice(0).map((prober) => prober.close())));
afterAll(() => scene.close());

const list = '{"object":"list","data":[]}';
/** The list of models as `models` has it; every call is answered. */
const lists =
  (models: Script): Script =>
  (call) =>
    call.path.endsWith('/models') ? models(call) : call.wire.whole(200, completionOf('fine'));
const status =
  (code: number, body = '{"error":{"message":"no"}}'): Script =>
  ({ wire }) =>
    wire.whole(code, body);
const well = status(200, list);
const silent: Script = () => {};
const completed: Script = ({ wire }) => wire.whole(200, completionOf('Hi'));

const probe = (more: Partial<ProbeSpec> = {}): ProbeSpec => ({ interval_ms: 40, ask: 'models', timeout_ms: 150, failures: 2, ...more });
let made = 0;
/** A deployment of its own vendor, probed. */
function probed(vendor: ScriptedVendor, spec: Partial<ProbeSpec> = {}, more: Partial<Deployment> = {}): Deployment {
  const provider = { instance: { modelsAddress: () => `${vendor.url}/models` } };
  return scene.deployment(`d${++made}`, vendor, { provider: provider as never, probe: probe(spec), ...more });
}
function snapshotOf(models: readonly ModelEntry[]): Snapshot {
  return { revision: 7, tenants: new Map([['t', { models: new Map(models.map((each, at) => [`m${at}`, each])) }]]) } as unknown as Snapshot;
}
interface Heard {
  readonly verdict: ProbeVerdict;
  /** The circuit before this probe counted. */
  readonly circuit: string;
}
function start(...models: ModelEntry[]) {
  const heard: Heard[] = [];
  const records: RunRecord[] = [];
  let held = 0;
  const prober = createProber({
    deployments: scene.dispatcher.deployments,
    invoker: scene.invoker,
    ledger: { record: (record) => void records.push(record) },
    hold() {
      held++;
      return { snapshot: snapshotOf(models), release: () => void held-- };
    },
    logger: createLogger('silent'),
    onProbe: (key, verdict) => heard.push({ verdict, circuit: stateOf(key)?.circuit ?? 'closed' }),
  });
  probers.push(prober);
  prober.follow(snapshotOf(models));
  return { prober, heard, records, held: () => held };
}
const stateOf = (key: string) => scene.dispatcher.health()[key];
const asks = (vendor: ScriptedVendor): number => vendor.calls.filter(({ path }) => path.endsWith('/models')).length;
const calls = (vendor: ScriptedVendor): number => vendor.calls.length - asks(vendor);
const soon = { timeout: 3_000, interval: 5 };

describe('a probe for the list of models', () => {
  it('finds a deployment well, shows that, and books nothing', async () => {
    const vendor = await scene.vendor(lists(well));
    const deployment = probed(vendor);
    const { heard, records, held } = start(scene.model([deployment]));
    await expect.poll(() => heard.length, soon).toBeGreaterThan(3);
    expect(new Set(heard.map(({ verdict }) => verdict))).toEqual(new Set(['well']));
    expect(stateOf(deployment.key)).toMatchObject({ circuit: 'closed', attempts: 0, failures: 0, probe: { ok: true, reason: null } });
    expect(Math.abs(Date.now() - (stateOf(deployment.key)?.probe?.at ?? 0))).toBeLessThan(500);
    expect(records).toEqual([]);
    await expect.poll(held, soon).toBe(0);
  });

  it.each<[string, Script, RegExp]>([
    ['a fault of the vendor', status(500), /failed\. \(HTTP 500\)$/],
    ['an overload', status(503), /overloaded or down\. \(HTTP 503\)$/],
    ['a credential that is refused', status(401), /credential.*\(HTTP 401\)$/],
    ['a credential that may not', status(403), /credential.*\(HTTP 403\)$/],
    ['silence', silent, /^There was no answer within 150 ms\.$/],
    [
      'silence after the head',
      ({ wire }) => wire.head(200, { 'content-type': 'application/json', 'content-length': '100' }),
      /^There was no answer within 150 ms\.$/,
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
  ])('finds %s, tells it in plain words, and opens the circuit after so many', async (_name, script, reason) => {
    const vendor = await scene.vendor(lists(script));
    const deployment = probed(vendor, { failures: 3 });
    const { heard } = start(scene.model([deployment]));
    await expect.poll(() => heard.length, soon).toBeGreaterThanOrEqual(5);
    expect(heard.slice(0, 5)).toEqual(['closed', 'closed', 'closed', 'open', 'open'].map((circuit) => ({ verdict: 'ill', circuit })));
    const shown = stateOf(deployment.key);
    expect(shown).toMatchObject({ circuit: 'open', probe: { ok: false } });
    expect(shown?.probe?.reason).toMatch(reason);
  });

  it('finds a port where nobody listens', async () => {
    const vendor = await scene.vendor(well);
    await vendor.close();
    const deployment = probed(vendor);
    start(scene.model([deployment]));
    await expect.poll(() => stateOf(deployment.key)?.circuit, soon).toBe('open');
    expect(stateOf(deployment.key)?.probe?.reason).toBe('The vendor cannot be reached. (ECONNREFUSED)');
  });

  it.each([301, 404, 405, 429])('learns nothing from status %i, and says so', async (code) => {
    const vendor = await scene.vendor(lists(status(code)));
    const deployment = probed(vendor, { failures: 1 });
    const { heard } = start(scene.model([deployment]));
    await expect.poll(() => heard.length, soon).toBeGreaterThan(3);
    expect(new Set(heard.map(({ verdict }) => verdict))).toEqual(new Set(['unclear']));
    expect(stateOf(deployment.key)).toMatchObject({ circuit: 'closed', probe: { ok: null, reason: expect.stringContaining(`${code}`) } });
  });

  it('reads of an endless list no more than it needs', async () => {
    let sent = 0;
    const vendor = await scene.vendor(
      lists(async ({ wire }) => {
        wire.startStream();
        for (sent = 0; sent < 2_000 && !wire.gone; sent++) {
          wire.chunk('x'.repeat(16_384));
          await wire.drained();
        }
      }),
    );
    const deployment = probed(vendor, { interval_ms: 10_000, timeout_ms: 2_000 });
    start(scene.model([deployment]));
    await expect.poll(() => stateOf(deployment.key)?.probe?.ok, soon).toBe(true);
    await expect.poll(() => vendor.left, soon).toBe(1);
    expect(sent).toBeLessThan(2_000);
  });

  it('keeps calls away from who is ill before any has failed, and lets them back', async () => {
    const ill = await scene.vendor(lists(status(500)));
    const other = await scene.vendor(lists(well));
    const model = scene.model([probed(ill), probed(other)], { circuit: { open_ms: 60_000 } });
    start(model);
    await expect.poll(() => stateOf(model.deployments[0]?.key ?? '')?.circuit, soon).toBe('open');
    const told = await Promise.all(Array.from({ length: 10 }, () => scene.ask(model, { stream: false })));
    for (const { error, deployment } of told) expect({ error, deployment }).toEqual({ error: null, deployment: model.deployments[1]?.id });
    expect(calls(ill), 'an open circuit takes no calls').toBe(0);
    ill.script = lists(well);
    await expect.poll(() => stateOf(model.deployments[0]?.key ?? '')?.circuit, soon).toBe('closed');
    expect((await scene.ask(model, { stream: false })).deployment).toBe(model.deployments[0]?.id);
  });

  it('lets a call try after the pause all the same: a list that is kept from us shuts no model for good', async () => {
    const vendor = await scene.vendor(lists(status(403)));
    const model = scene.model([probed(vendor)], { circuit: { open_ms: 250 } });
    start(model);
    const { key } = model.deployments[0] as Deployment;
    await expect.poll(() => stateOf(key)?.circuit, soon).toBe('open');
    expect((await scene.ask(model, { stream: false })).error?.code).toBe('upstream_unavailable');
    await expect.poll(async () => (await scene.ask(model, { stream: false })).error, { timeout: 2_000, interval: 20 }).toBeNull();
  });

  it('does not close what calls have opened', async () => {
    const vendor = await scene.vendor((call) => (call.path.endsWith('/models') ? well(call) : status(500)(call)));
    const model = scene.model([probed(vendor)], { circuit: { failures: 1, open_ms: 400 } });
    const { heard } = start(model);
    const { key } = model.deployments[0] as Deployment;
    await scene.ask(model, { stream: false });
    expect(stateOf(key)?.circuit).toBe('open');
    const before = heard.length;
    await expect.poll(() => heard.length, soon).toBeGreaterThan(before + 3);
    expect(stateOf(key)).toMatchObject({ circuit: 'open', probe: { ok: true } });
    vendor.script = lists(well);
    await wait(420);
    expect((await scene.ask(model, { stream: false })).error).toBeNull();
    expect(stateOf(key)?.circuit).toBe('closed');
  });

  it('is one request for all deployments of a provider', async () => {
    const vendor = await scene.vendor(lists(well));
    const first = probed(vendor, { interval_ms: 200 });
    const models = [scene.model([first])];
    for (let more = 0; more < 9; more++) models.push(scene.model([{ ...first, key: `${first.key} ${more}` }]));
    const { heard } = start(...models);
    await expect.poll(() => heard.length, soon).toBeGreaterThanOrEqual(20);
    expect(asks(vendor)).toBeLessThanOrEqual(3);
    for (const { deployments } of models) expect(stateOf(deployments[0]?.key ?? '')?.probe?.ok).toBe(true);
  });
});

describe('a probe for a token', () => {
  const price = { currency: 'USD', input: 1_000_000, output: 3_000_000 };

  it('is one call of one token, booked once with its tokens and its cost', async () => {
    const vendor = await scene.vendor(completed);
    const deployment = probed(vendor, { ask: 'token' }, { price });
    const { records, heard } = start(scene.model([deployment]));
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

  it('is an estimate where the vendor tells no tokens', async () => {
    const vendor = await scene.vendor(({ wire }) => wire.whole(200, completionOf('Hi').replace(/,"usage":.*$/, '}')));
    const { records } = start(scene.model([probed(vendor, { ask: 'token' })]));
    await expect.poll(() => records.length, soon).toBeGreaterThan(0);
    expect(records[0]?.usage).toMatchObject({ estimated: true, inputTokens: expect.any(Number) });
  });

  it('is one word for a model of embeddings', async () => {
    const vendor = await scene.vendor(({ wire }) =>
      wire.whole(200, JSON.stringify({ data: [{ index: 0, embedding: [1, 2] }], usage: { prompt_tokens: 1, total_tokens: 1 } })),
    );
    const provider = { instance: { formats: { embeddings: 'openai' } } };
    const deployment = scene.deployment('vectors', vendor, { provider: provider as never, probe: probe({ ask: 'token' }), price });
    const { records } = start(scene.model([deployment], { operations: ['embeddings'] }));
    await expect.poll(() => records.length, soon).toBeGreaterThan(0);
    expect(vendor.calls[0]?.body).toMatchObject({ input: 'Hi' });
    expect(records[0]).toMatchObject({ outcome: 'complete', usage: { inputTokens: 1, outputTokens: 0 }, cost: 1 });
  });

  it.each<[string, Script, string]>([
    ['a fault', status(500), 'upstream_error'],
    ['a credential that is refused', status(401), 'upstream_authentication'],
    ['silence', silent, 'upstream_timeout'],
    ['a cut', ({ wire }) => wire.reset(), 'upstream_unavailable'],
  ])('books %s as a failure and opens the circuit', async (_name, script, code) => {
    const vendor = await scene.vendor(script);
    const deployment = probed(vendor, { ask: 'token' });
    const { records, heard } = start(scene.model([deployment]));
    await expect.poll(() => heard.length, soon).toBeGreaterThanOrEqual(3);
    expect(heard.slice(0, 3).map(({ circuit }) => circuit)).toEqual(['closed', 'closed', 'open']);
    expect(records[0]).toMatchObject({ outcome: 'error', error: code, usage: null, attempts: [{ error: code }] });
  });

  it('that the vendor does not understand says nothing of the vendor', async () => {
    const vendor = await scene.vendor(status(400));
    const deployment = probed(vendor, { ask: 'token', failures: 1 });
    const { heard } = start(scene.model([deployment]));
    await expect.poll(() => heard.length, soon).toBeGreaterThan(2);
    expect(stateOf(deployment.key)).toMatchObject({ circuit: 'closed', probe: { ok: null } });
  });

  it('closes what calls have opened, without waiting for the pause to end', async () => {
    const vendor = await scene.vendor(status(500));
    const model = scene.model([probed(vendor, { ask: 'token', failures: 100 })], { circuit: { failures: 1, open_ms: 60_000 } });
    await scene.ask(model, { stream: false });
    const { key } = model.deployments[0] as Deployment;
    expect(stateOf(key)?.circuit).toBe('open');
    start(model);
    vendor.script = completed;
    await expect.poll(() => stateOf(key)?.circuit, soon).toBe('closed');
    expect((await scene.ask(model, { stream: false })).error).toBeNull();
  });

  it('lets no call go beside it while it tries, and goes beside none', async () => {
    const vendor = await scene.vendor(status(500));
    const model = scene.model([probed(vendor, { ask: 'token', failures: 100, timeout_ms: 2_000 })], {
      circuit: { failures: 1, open_ms: 1 },
    });
    await scene.ask(model, { stream: false });
    vendor.script = silent;
    start(model);
    await expect.poll(() => vendor.calls.length, soon).toBe(2);
    await wait(20);
    expect((await scene.ask(model, { stream: false })).error?.code).toBe('upstream_unavailable');
    expect(vendor.calls.length).toBe(2);
    await probers.pop()?.close();
    // The other way round: a call tries, and the probe stays away.
    const call = scene.ask(model, { stream: false });
    await expect.poll(() => vendor.calls.length, soon).toBe(3);
    start(model);
    await wait(120);
    expect(vendor.calls.length).toBe(3);
    vendor.calls[2]?.wire.whole(200, completionOf('late'));
    expect((await call).error).toBeNull();
  });

  it('is not made at a deployment that is at its limit', async () => {
    const vendor = await scene.vendor(silent);
    const model = scene.model([probed(vendor, { ask: 'token' }, { limits: { concurrency: 1 } })]);
    const call = scene.ask(model, { stream: false });
    await expect.poll(() => vendor.calls.length, soon).toBe(1);
    start(model);
    await wait(120);
    expect(vendor.calls.length).toBe(1);
    vendor.calls[0]?.wire.whole(200, completionOf('late'));
    await call;
  });
});

describe('the prober', () => {
  it('asks each deployment once at a time, however long it takes', async () => {
    let now = 0;
    let most = 0;
    const slow: Script = async ({ wire }) => {
      most = Math.max(most, ++now);
      await wait(60);
      now--;
      wire.whole(200, completionOf('Hi'));
    };
    const [models, token] = [await scene.vendor(slow), await scene.vendor(slow)];
    for (const [vendor, ask] of [
      [models, 'models'],
      [token, 'token'],
    ] as const) {
      most = 0;
      start(scene.model([probed(vendor, { ask, interval_ms: 10, timeout_ms: 5_000 })]));
      await expect.poll(() => vendor.calls.length, soon).toBeGreaterThan(3);
      await probers.pop()?.close();
      expect(most).toBe(1);
      await wait(70);
    }
  });

  it('keeps to its time, give or take a tenth', async () => {
    const vendor = await scene.vendor(lists(well));
    const delays = vi.spyOn(globalThis, 'setTimeout');
    const random = vi.spyOn(Math, 'random');
    try {
      for (const [chance, least, most] of [
        [0, 8_000, 9_000],
        [0.999, 10_000, 11_000],
      ] as const) {
        // The first one comes at once, give or take nothing.
        random.mockReturnValue(0);
        const { heard } = start(scene.model([probed(vendor, { interval_ms: 10_000, timeout_ms: 60_000 })]));
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

  it('has a bounded number of probes under way, and asks the others in their turn', async () => {
    const vendor = await scene.vendor(silent);
    const models = Array.from({ length: 40 }, () => scene.model([probed(vendor, { interval_ms: 60_000, timeout_ms: 600 })]));
    // The first of each comes within a tenth of its interval.
    for (const { deployments } of models) Object.assign(deployments[0]?.probe ?? {}, { interval_ms: 100 });
    const { heard } = start(...models);
    await wait(200);
    expect(vendor.calls.length).toBe(16);
    await expect
      .poll(() => new Set(models.map(({ deployments }) => stateOf(deployments[0]?.key ?? '')?.probe?.ok)), soon)
      .toEqual(new Set([false]));
    expect(heard.length).toBeGreaterThanOrEqual(40);
  });

  it('leaves at once a deployment that is not configured any more', async () => {
    const vendor = await scene.vendor(silent);
    const model = scene.model([probed(vendor, { timeout_ms: 60_000 })]);
    const { prober, heard, held } = start(model);
    await expect.poll(() => vendor.calls.length, soon).toBe(1);
    prober.follow(snapshotOf([]));
    scene.dispatcher.follow(snapshotOf([]));
    await expect.poll(() => vendor.left, soon).toBe(1);
    await expect.poll(held, soon).toBe(0);
    await wait(120);
    expect(vendor.calls.length).toBe(1);
    expect(heard).toEqual([]);
    expect(stateOf(model.deployments[0]?.key ?? '')).toBeUndefined();
  });

  it('goes on over a change that is not its own, and asks anew where the provider was changed', async () => {
    const [old, next] = [await scene.vendor(lists(well)), await scene.vendor(lists(well))];
    const deployment = probed(old, { interval_ms: 300 });
    const { prober } = start(scene.model([deployment]));
    await expect.poll(() => asks(old), soon).toBe(1);
    for (let change = 0; change < 5; change++) prober.follow(snapshotOf([scene.model([{ ...deployment, weight: change }])]));
    await wait(100);
    expect(asks(old), 'a change of the weight asks nobody').toBe(1);
    prober.follow(snapshotOf([scene.model([{ ...deployment, provider: probed(next).provider }])]));
    await expect.poll(() => asks(next), soon).toBeGreaterThan(1);
    expect(asks(old)).toBe(1);
  });

  it('stops at once, ends what is under way, and leaves no timer and no connection', async () => {
    const vendor = await scene.vendor(silent);
    const timers = (): number => process.getActiveResourcesInfo().filter((each) => each === 'Timeout').length;
    const before = timers();
    const { prober, records, heard, held } = start(
      scene.model([probed(vendor, { timeout_ms: 60_000 })]),
      scene.model([probed(vendor, { ask: 'token', timeout_ms: 60_000 })]),
    );
    await expect.poll(() => vendor.calls.length, soon).toBe(2);
    const began = performance.now();
    await prober.close();
    expect(performance.now() - began).toBeLessThan(300);
    expect(records).toMatchObject([{ operation: 'probe', outcome: 'aborted', attempts: [{ outcome: 'aborted' }] }]);
    await expect.poll(() => vendor.left, soon).toBe(2);
    expect(timers()).toBeLessThanOrEqual(before);
    expect(held()).toBe(0);
    await wait(120);
    expect(vendor.calls.length).toBe(2);
    expect(heard).toEqual([]);
  });
});
