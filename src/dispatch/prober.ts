/** Probes the health of deployments: schedule, concurrency and results. */
import type { ModelInvoker } from '../models/invoke.ts';
import { type GatewayError, toGatewayError } from '../types/errors.ts';
import type { Logger } from '../types/logger.ts';
import type { ProbeSpec } from '../types/resources.ts';
import type { Ledger } from '../types/run.ts';
import type { ChangedModel, Deployment, HeldSnapshot, ModelEntry, Snapshot } from '../types/snapshot.ts';
import { Dropped } from './attempt-recorder.ts';
import { type Deployments, isUnhealthy, type ProbeResult } from './deployments.ts';
import { type Asked, createModelsQuestion } from './probe-models.ts';
import { probeFailureText } from './probe-failure-text.ts';
import { requestToken } from './probe-token.ts';
import { monotonicNow } from '../scheduling/monotonic-clock.ts';

/** Healthy, unhealthy, or a fault that says nothing about the deployment, such as a rate limit. */
export type ProbeVerdict = 'well' | 'ill' | 'unclear';

export interface Prober {
  /** Probes the deployments that `snapshot` configures. */
  follow(snapshot: Snapshot, changed?: readonly ChangedModel[]): void;
  /** Aborts probes in progress. */
  close(): Promise<void>;
}

export interface ProberOptions {
  readonly deployments: Deployments;
  readonly invoker: ModelInvoker;
  readonly ledger: Ledger;
  /** Keeps the vendors' plugins alive during a probe. */
  hold(): HeldSnapshot;
  readonly logger: Logger;
  /** Called with the deployment's key. */
  readonly onProbe?: (deployment: string, verdict: ProbeVerdict) => void;
}

/** Concurrent probes on this node. */
const maxConcurrent = 16;
/** A plugin that ignores the abort does not prevent the node from stopping. */
const closePatienceMs = 1_000;

/** One probed deployment. */
interface Watch {
  readonly tenant: string;
  readonly spec: ProbeSpec;
  model: ModelEntry;
  deployment: Deployment;
  readonly controller: AbortController;
  timer: NodeJS.Timeout | undefined;
  verdict: ProbeVerdict | null;
}

function isSame({ spec, deployment, model }: Watch, other: Deployment, entry: ModelEntry): boolean {
  return (
    deployment.provider.instance === other.provider.instance &&
    JSON.stringify([spec, model.spec.operations]) === JSON.stringify([other.probe, entry.spec.operations])
  );
}

function verdictOf(error: GatewayError | null): ProbeVerdict {
  const unhealthy = isUnhealthy(error);
  return unhealthy === null ? 'unclear' : unhealthy ? 'ill' : 'well';
}

export function createProber(options: ProberOptions): Prober {
  const { deployments, invoker, ledger, logger } = options;
  const probeModelsList = createModelsQuestion(invoker);
  const watches = new Map<string, Watch>();
  const underWay = new Set<Promise<void>>();
  const waiting = new Set<Watch>();
  let closed = false;

  const stop = (key: string, watch: Watch): void => {
    watches.delete(key);
    waiting.delete(watch);
    clearTimeout(watch.timer);
    watch.controller.abort(new Dropped('This probe is no longer needed.'));
    deployments.forgetProbe(key);
  };

  const schedule = (watch: Watch, milliseconds: number): void => {
    watch.timer = setTimeout(() => begin(watch), milliseconds);
    watch.timer.unref();
  };

  const begin = (watch: Watch): void => {
    if (underWay.size >= maxConcurrent) {
      waiting.add(watch);
      return;
    }
    const next = monotonicNow() + watch.spec.interval_ms * (0.9 + Math.random() * 0.2);
    const work = probe(watch)
      .catch((thrown: unknown) =>
        logger.error({ err: toGatewayError(thrown), deployment: watch.deployment.key }, 'a probe could not be made'),
      )
      .finally(() => {
        underWay.delete(work);
        if (!watch.controller.signal.aborted) schedule(watch, Math.max(watch.spec.interval_ms / 10, next - monotonicNow()));
        const [first] = waiting;
        if (first === undefined) return;
        waiting.delete(first);
        begin(first);
      });
    underWay.add(work);
  };

  const probe = async (watch: Watch): Promise<void> => {
    const held = options.hold();
    try {
      await (watch.spec.ask === 'token' ? probeToken(watch, held.snapshot.revision) : probeModels(watch));
    } finally {
      held.release();
    }
  };

  const probeModels = async (watch: Watch): Promise<void> => {
    const { spec, deployment, controller } = watch;
    const place = deployments.startProbe(deployment, spec.failures);
    if (place === null) return;
    let result: ProbeResult | null = null;
    try {
      const { signal } = controller;
      const outcome = await probeModelsList(deployment, { freshMs: spec.interval_ms / 2, timeoutMs: spec.timeout_ms, signal });
      if (!signal.aborted) result = resultOf(watch, outcome);
    } finally {
      place.end(result);
    }
  };

  const probeToken = async (watch: Watch, revision: number): Promise<void> => {
    const { spec, deployment, model, tenant, controller } = watch;
    const permit = deployments.enter(deployment, model.spec.circuit, monotonicNow(), true);
    // The deployment is at its limit or on trial by a call, which is sufficient information.
    if ('reason' in permit) return;
    const { signal } = controller;
    const outcome = await requestToken(deployment, {
      model,
      permit,
      invoker,
      ledger,
      tenant,
      revision,
      timeoutMs: spec.timeout_ms,
      signal,
    });
    if (!signal.aborted) deployments.probed(deployment, spec.failures, resultOf(watch, outcome));
  };

  const resultOf = (watch: Watch, { at, latencyMs, error }: Asked): ProbeResult => {
    const verdict = verdictOf(error);
    const { key } = watch.deployment;
    const reason = error === null ? null : probeFailureText(error);
    options.onProbe?.(key, verdict);
    if (verdict !== (watch.verdict ?? 'well')) logger.warn({ deployment: key, verdict, reason }, 'the result of a probe has changed');
    watch.verdict = verdict;
    return { at, ok: verdict === 'unclear' ? null : verdict === 'well', reason, latencyMs };
  };

  /** Watches the probed deployments of the model and takes their keys out of `gone`. */
  const watchModel = (tenant: string, model: ModelEntry, gone: Set<string>): void => {
    for (const deployment of model.deployments) {
      const { key, probe: spec } = deployment;
      if (spec === undefined) continue;
      gone.delete(key);
      const old = watches.get(key);
      // A model may name one upstream model twice; the first one counts.
      if (old?.model === model) continue;
      if (old !== undefined && isSame(old, deployment, model)) {
        old.model = model;
        old.deployment = deployment;
        continue;
      }
      if (old !== undefined) stop(key, old);
      const watch: Watch = { tenant, spec, model, deployment, controller: new AbortController(), timer: undefined, verdict: null };
      watches.set(key, watch);
      schedule(watch, (Math.random() * spec.interval_ms) / 10);
    }
  };

  return {
    follow({ tenants }, changed) {
      if (closed) return;
      const gone = new Set<string>();
      if (changed === undefined) {
        for (const key of watches.keys()) gone.add(key);
        for (const [tenant, { models }] of tenants) for (const model of models.values()) watchModel(tenant, model, gone);
      } else {
        for (const { before } of changed) for (const { key } of before?.deployments ?? []) gone.add(key);
        for (const { tenant, after } of changed) if (after !== undefined) watchModel(tenant, after, gone);
      }
      for (const key of gone) {
        const watch = watches.get(key);
        if (watch !== undefined) stop(key, watch);
      }
    },

    async close() {
      closed = true;
      for (const [key, watch] of watches) stop(key, watch);
      const patience = new AbortController();
      const late = new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, closePatienceMs);
        patience.signal.addEventListener('abort', () => clearTimeout(timer), { once: true });
      });
      await Promise.race([Promise.allSettled(underWay), late]);
      patience.abort();
    },
  };
}
