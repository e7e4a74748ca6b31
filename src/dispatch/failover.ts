/** Tries deployments until one answers, within the model's budget of attempts and time. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { Run } from '../telemetry/run.ts';
import { GatewayError, toGatewayError } from '../types/errors.ts';
import type { Deployment } from '../types/snapshot.ts';

export interface FailoverOptions<T> {
  /** In order of preference. */
  readonly plan: readonly Deployment[];
  readonly attempts: number;
  /** Epoch milliseconds. */
  readonly totalAt: number;
  readonly signal: AbortSignal;
  readonly run: Run;
  attempt(deployment: Deployment): Promise<T>;
}

/** A wait that a vendor asks for is worth it only if it is short; else the next deployment is tried. */
const longestWaitMs = 2_000;
const retryBaseMs = 100;

/** Faults that may have passed a moment later at the same place: the vendor stumbled or the connection broke before an answer. */
function worthRepeating(error: GatewayError): boolean {
  return error.code === 'upstream_error' || error.code === 'upstream_unavailable' || error.code === 'rate_limited';
}

/** How long to wait before the same deployment is tried again; null: do not. */
function waitBefore(error: GatewayError, repeated: boolean): number | null {
  if (repeated || !worthRepeating(error)) return null;
  if (error.retryAfterSeconds !== undefined) return error.retryAfterSeconds * 1000 <= longestWaitMs ? error.retryAfterSeconds * 1000 : null;
  // A limit without a word on when it ends is not hammered.
  return error.code === 'rate_limited' ? null : retryBaseMs * (0.5 + Math.random());
}

/** The result of the first attempt that succeeds. Throws the last failure, in the caller's words. */
export async function withFailover<T>(options: FailoverOptions<T>): Promise<{ deployment: Deployment; attempts: number; value: T }> {
  const { plan, signal } = options;
  if (plan.length === 0)
    throw new GatewayError('upstream_unavailable', 'This model has no deployment that takes calls at the moment. Tell your administrator.');
  let last: GatewayError | null = null;
  let attempts = 0;
  for (const [index, deployment] of plan.entries()) {
    let repeated = false;
    for (;;) {
      if (attempts >= options.attempts || Date.now() >= options.totalAt) throw exhausted(last, attempts);
      attempts++;
      try {
        return { deployment, attempts, value: await options.attempt(deployment) };
      } catch (thrown) {
        last = toGatewayError(thrown);
      }
      if (!last.retryable || signal.aborted) throw last;
      const wait = waitBefore(last, repeated);
      const triesLeft = options.attempts - attempts;
      // With one try left and another deployment to go to, that one is the better chance.
      if (wait === null || Date.now() + wait >= options.totalAt || (triesLeft <= 1 && index + 1 < plan.length)) break;
      repeated = true;
      await sleep(wait, undefined, { signal }).catch(() => {
        throw toGatewayError(signal.reason);
      });
    }
  }
  throw exhausted(last, attempts);
}

function exhausted(last: GatewayError | null, attempts: number): GatewayError {
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
