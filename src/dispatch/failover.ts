/** Tries deployments until one answers, within the model's budget of attempts and time. */
import { setTimeout as sleep } from 'node:timers/promises';
import { abortSignalOf } from '../scheduling/cancellation.ts';
import type { CallSignal } from '../types/call-signal.ts';
import { GatewayError, toGatewayError } from '../types/errors.ts';
import type { Deployment, ModelEntry } from '../types/snapshot.ts';
import { type AttemptSignals, statusIn } from './attempt-recorder.ts';
import type { Deployments, Permit, Refusal } from './deployments.ts';
import { hedged } from './hedge.ts';
import { monotonicNow } from '../scheduling/monotonic-clock.ts';

export interface FailoverOptions<T> {
  readonly model: ModelEntry;
  /** In order of preference. */
  readonly plan: readonly Deployment[];
  readonly deployments: Deployments;
  /** Epoch milliseconds. */
  readonly totalAt: number;
  readonly signal: CallSignal;
  /** Earlier attempts of this call, which count. */
  readonly made?: number;
  /** The delay before a hedged attempt for this deployment; null for none. Without the function nothing is hedged. */
  hedgeAfter?(deployment: Deployment): number | null;
  /** Disposes of the result of an attempt that is no longer needed. */
  discard?(value: T): void;
  attempt(deployment: Deployment, permit: Permit, signals: AttemptSignals): Promise<T>;
}

export interface Failover<T> {
  readonly deployment: Deployment;
  readonly attempts: number;
  readonly value: T;
}

/** True for faults that may disappear on an immediate retry: the vendor failed, or the connection broke before an answer. */
function isWorthRetrying(error: GatewayError): boolean {
  if (error.code === 'upstream_error' || error.code === 'upstream_unavailable' || error.code === 'rate_limited') return true;
  // A gateway timeout at the vendor's side. A silent vendor has already cost the caller a whole time limit.
  return error.code === 'upstream_timeout' && statusIn(error) !== null;
}

/** Milliseconds to wait before the same deployment is retried; null for no retry. */
function waitBefore(error: GatewayError, repeats: number, { spec }: ModelEntry): number | null {
  if (repeats >= spec.retry.same || !isWorthRetrying(error)) return null;
  if (error.retryAfterSeconds !== undefined) {
    const requestedMs = error.retryAfterSeconds * 1_000;
    // A timer may fire early, while the deployment would still refuse.
    return requestedMs <= spec.retry.longest_wait_ms ? requestedMs + 5 : null;
  }
  // A rate limit without a delay is not retried at the same deployment.
  return error.code === 'rate_limited' ? null : spec.retry.base_ms * 2 ** repeats * (0.5 + Math.random());
}

/** The number of calls that wait for a free deployment, by model entry. A changed entry starts at zero. */
const waiting = new WeakMap<ModelEntry, number>();

/** The result of the first successful attempt. Rejects with the last failure, in the caller's terms. */
export function withFailover<T>(options: FailoverOptions<T>): Promise<Failover<T>> {
  const { plan, model, signal, made = 0 } = options;
  const deployment = plan[0];
  if (
    deployment !== undefined &&
    options.hedgeAfter === undefined &&
    made < model.spec.limits.attempts &&
    monotonicNow() < options.totalAt
  ) {
    const permit = options.deployments.enter(deployment, model.spec.circuit, monotonicNow());
    // The usual call: its first deployment answers, and one promise suffices.
    if (!('reason' in permit))
      return options.attempt(deployment, permit, { signal }).then(
        (value) => ({ deployment, attempts: made + 1, value }),
        (thrown: unknown) => tryDeployments(options, { attempts: made + 1, last: toGatewayError(thrown) }),
      );
  }
  return tryDeployments(options, { attempts: made, last: null });
}

/** `last`: the failure of a first attempt that was made at the first deployment; null when none was made. */
async function tryDeployments<T>(
  options: FailoverOptions<T>,
  { attempts, last }: Pick<Progress, 'attempts' | 'last'>,
): Promise<Failover<T>> {
  const { plan, model } = options;
  if (plan.length === 0)
    throw new GatewayError('upstream_unavailable', 'This model has no deployment that takes calls at the moment. Tell your administrator.');
  const state: Progress = { attempts, last, refused: [], tried: new Set() };
  const waitUntil = Math.min(options.totalAt, monotonicNow() + model.spec.queue.wait_ms);
  for (;;) {
    state.refused = [];
    const result = await tryAll(options, state);
    if (result !== null) return result;
    // A call waits only when every deployment refused it. A call that failed has had its attempts.
    if (state.last !== null || state.refused.length === 0) throw exhausted(state);
    const soonest = Math.min(...state.refused.map((refusal) => refusal.waitMs));
    const left = waitUntil - monotonicNow();
    const before = waiting.get(model) ?? 0;
    if (left <= 0 || before >= model.spec.queue.size) throw refusedEverywhere(state.refused, soonest);
    waiting.set(model, before + 1);
    await options.deployments.change(Math.max(1, Math.min(left, soonest)), options.signal);
    waiting.set(model, (waiting.get(model) ?? 1) - 1);
    if (options.signal.aborted) throw toGatewayError(options.signal.reason);
  }
}

interface Progress {
  attempts: number;
  last: GatewayError | null;
  refused: Refusal[];
  /** Deployments that were already tried as a hedge. */
  readonly tried: Set<Deployment>;
}

/** Null when every deployment refused or failed. Throws errors that must not be tried elsewhere. */
async function tryAll<T>(options: FailoverOptions<T>, state: Progress): Promise<Failover<T> | null> {
  const { plan, model, signal } = options;
  /** The first attempt at the first deployment was made before. */
  let hasFailed = state.last !== null;
  for (const [index, deployment] of plan.entries()) {
    if (state.tried.has(deployment)) continue;
    for (let repeats = 0; ; repeats++) {
      if (!hasFailed) {
        if (state.attempts >= model.spec.limits.attempts || monotonicNow() >= options.totalAt) throw exhausted(state);
        const permit = options.deployments.enter(deployment, model.spec.circuit, monotonicNow());
        if ('reason' in permit) {
          state.refused.push(permit);
          break;
        }
        state.attempts++;
        try {
          const result = await tryOne(options, state, index, permit);
          return { ...result, attempts: state.attempts };
        } catch (thrown) {
          state.last = toGatewayError(thrown);
        }
      }
      hasFailed = false;
      const last = state.last as GatewayError;
      if (!last.retryable || signal.aborted) throw last;
      const wait = waitBefore(last, repeats, model);
      const triesLeft = model.spec.limits.attempts - state.attempts;
      // The last attempt goes to another deployment, if one is left: its chance is better.
      if (wait === null || monotonicNow() + wait >= options.totalAt || (triesLeft <= 1 && index + 1 < plan.length)) break;
      await sleep(wait, undefined, { signal: abortSignalOf(signal) }).catch(() => {
        throw toGatewayError(signal.reason);
      });
    }
  }
  return null;
}

/** One attempt at the deployment at `index`, and a hedged one at a later deployment when it takes too long. */
async function tryOne<T>(
  options: FailoverOptions<T>,
  state: Progress,
  index: number,
  permit: Permit,
): Promise<{ readonly deployment: Deployment; readonly value: T }> {
  const { plan, model, signal } = options;
  const deployment = plan[index] as Deployment;
  const afterMs = index + 1 < plan.length ? (options.hedgeAfter?.(deployment) ?? null) : null;
  if (afterMs === null) return { deployment, value: await options.attempt(deployment, permit, { signal }) };
  return hedged({
    signal,
    afterMs,
    first: { deployment, start: (signals) => options.attempt(deployment, permit, signals) },
    second: () => {
      for (const other of plan.slice(index + 1)) {
        if (state.attempts >= model.spec.limits.attempts || monotonicNow() >= options.totalAt) return null;
        if (state.tried.has(other)) continue;
        const otherPermit = options.deployments.enter(other, model.spec.circuit, monotonicNow());
        if ('reason' in otherPermit) continue;
        state.attempts++;
        state.tried.add(other);
        return { deployment: other, start: (signals) => options.attempt(other, otherPermit, signals) };
      }
      return null;
    },
    discard: (value) => options.discard?.(value),
  });
}

function refusedEverywhere(refused: readonly Refusal[], soonestMs: number): GatewayError {
  const retryAfterSeconds = Math.max(1, Math.ceil(soonestMs / 1_000));
  const details = { refused: refused.map(({ reason }) => reason) };
  if (refused.every(({ reason }) => reason === 'circuit open')) {
    return new GatewayError(
      'upstream_unavailable',
      'Every deployment of this model is failing and gets no calls for a while. Try again soon.',
      {
        retryAfterSeconds,
        details,
      },
    );
  }
  return new GatewayError('rate_limited', 'Every deployment of this model is at its limit. Wait and try again.', {
    retryAfterSeconds,
    details,
  });
}

function exhausted({ last, attempts }: Progress): GatewayError {
  if (last === null) return new GatewayError('upstream_timeout', 'The call ran out of its time before any deployment could be tried.');
  if (attempts <= 1) return last;
  return new GatewayError(last.code, `${last.message} (${attempts} attempts were made.)`, {
    details: last.details,
    retryAfterSeconds: last.retryAfterSeconds,
    param: last.param ?? undefined,
    expose: last.expose,
    cause: last,
  });
}
