/** A prober in the test scene: what it logs, what it records, and the requests of its vendors. */
import { afterAll, afterEach, beforeAll } from 'vitest';
import { createProber, type Prober, type ProbeVerdict } from '../../src/dispatch/prober.ts';
import { createLogger } from '../../src/telemetry/log.ts';
import type { ProbeSpec } from '../../src/types/resources.ts';
import type { RunRecord } from '../../src/types/run.ts';
import type { Deployment, ModelEntry, Snapshot } from '../../src/types/snapshot.ts';
import { completionOf, type Scene, type Script, type ScriptedVendor, startScene } from './scene.ts';

/** `scene` exists while tests run. */
export const stage = {} as { scene: Scene };
/** The running probers; all are closed after each test. */
export const probers: Prober[] = [];
/** Creates a scene for the tests of one file. */
export function inProbeScene(): void {
  beforeAll(async () => {
    stage.scene = await startScene();
  });
  afterEach(() => Promise.all(probers.splice(0).map((prober) => prober.close())));
  afterAll(() => stage.scene.close());
}

export const list = '{"object":"list","data":[]}';
/** Returns `models` as the list of models; every call is answered. */
export const lists =
  (models: Script): Script =>
  (call) =>
    call.path.endsWith('/models') ? models(call) : call.wire.whole(200, completionOf('fine'));
export const status =
  (code: number, body = '{"error":{"message":"no"}}'): Script =>
  ({ wire }) =>
    wire.whole(code, body);
export const well = status(200, list);
export const silent: Script = () => {};
export const completed: Script = ({ wire }) => wire.whole(200, completionOf('Hi'));

export const probe = (more: Partial<ProbeSpec> = {}): ProbeSpec => ({
  interval_ms: 40,
  ask: 'models',
  // Long enough for a healthy vendor on a busy machine.
  timeout_ms: 400,
  failures: 2,
  ...more,
});
let made = 0;
/** A probed deployment with a vendor of its own. */
export function probed(vendor: ScriptedVendor, spec: Partial<ProbeSpec> = {}, more: Partial<Deployment> = {}): Deployment {
  const provider = { instance: { modelsAddress: () => `${vendor.url}/models` } };
  return stage.scene.deployment(`d${++made}`, vendor, { provider: provider as never, probe: probe(spec), ...more });
}
export function snapshotOf(models: readonly ModelEntry[]): Snapshot {
  return { revision: 7, tenants: new Map([['t', { models: new Map(models.map((each, at) => [`m${at}`, each])) }]]) } as unknown as Snapshot;
}
interface Heard {
  readonly verdict: ProbeVerdict;
  /** The circuit before this probe counted. */
  readonly circuit: string;
}
export function start(...models: ModelEntry[]) {
  const heard: Heard[] = [];
  const records: RunRecord[] = [];
  let held = 0;
  const prober = createProber({
    deployments: stage.scene.dispatcher.deployments,
    invoker: stage.scene.invoker,
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
export const stateOf = (key: string) => stage.scene.dispatcher.health()[key];
export const asks = (vendor: ScriptedVendor): number => vendor.calls.filter(({ path }) => path.endsWith('/models')).length;
export const calls = (vendor: ScriptedVendor): number => vendor.calls.length - asks(vendor);
export const soon = { timeout: 120_000, interval: 5 };
