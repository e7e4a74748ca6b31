/** The free probe: requests the vendor's list of models. Deployments of one provider share the result. */
import type { ModelInvoker } from '../models/invoke.ts';
import { abortable } from '../outbound/abortable.ts';
import { GatewayError, toGatewayError } from '../types/errors.ts';
import type { Provider } from '../types/provider.ts';
import type { Deployment } from '../types/snapshot.ts';
import { monotonicNow } from '../scheduling/monotonic-clock.ts';

export interface Asked {
  /** Epoch milliseconds. */
  readonly at: number;
  readonly latencyMs: number;
  /** Null when healthy. */
  readonly error: GatewayError | null;
}

interface Shared {
  readonly began: number;
  readonly answer: Promise<Asked>;
  readonly controller: AbortController;
  waiting: number;
}

export interface ModelsQuestion {
  /** A result is reused for this long. */
  readonly freshMs: number;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
}

export type AskModels = (deployment: Deployment, question: ModelsQuestion) => Promise<Asked>;

/** Results are kept by provider instance, so changed options start a new one. */
export function createModelsQuestion(invoker: ModelInvoker): AskModels {
  const known = new WeakMap<Provider, Shared>();

  const begin = (deployment: Deployment, timeoutMs: number): Shared => {
    const at = Date.now();
    const began = monotonicNow();
    const controller = new AbortController();
    const { signal } = controller;
    const slow = new GatewayError('upstream_timeout', `There was no answer within ${timeoutMs} ms.`);
    const timer = setTimeout(() => controller.abort(slow), timeoutMs);
    timer.unref();
    const answer = abortable(invoker.models(deployment, { signal }), signal).then(
      () => null,
      (thrown: unknown) => toGatewayError(signal.aborted ? signal.reason : thrown),
    );
    return {
      began,
      controller,
      waiting: 0,
      answer: answer.then((error) => {
        clearTimeout(timer);
        return { at, latencyMs: monotonicNow() - began, error };
      }),
    };
  };

  return async (deployment, { freshMs, timeoutMs, signal }) => {
    const { instance } = deployment.provider;
    let shared = known.get(instance);
    if (shared === undefined || monotonicNow() - shared.began >= freshMs) known.set(instance, (shared = begin(deployment, timeoutMs)));
    const joined = shared;
    joined.waiting++;
    const leave = (): void => {
      if (--joined.waiting > 0) return;
      // The probe has no waiting caller left.
      if (known.get(instance) === joined) known.delete(instance);
      joined.controller.abort(signal.reason);
    };
    signal.addEventListener('abort', leave, { once: true });
    try {
      return await joined.answer;
    } finally {
      signal.removeEventListener('abort', leave);
    }
  };
}
