/** The context of a call for the router: its run, its caller's rights and its caller's limits. */
import type { CallContext } from '../../dispatch/dispatcher.ts';
import type { Admission } from '../../quota/quota.ts';
import type { CallSize } from '../../quota/limit-requests.ts';
import type { Run } from '../../telemetry/run.ts';
import type { CallSignal } from '../../types/call-signal.ts';
import type { ModelEntry } from '../../types/snapshot.ts';
import { type Caller, fallbackFor } from '../caller.ts';
import type { CallServices } from '../services.ts';

export interface CallOptions {
  readonly stream: boolean;
  /** The estimated size of the call; null when no vendor is called. Evaluated only when a limit counts tokens or money. */
  readonly size: () => CallSize | null;
  readonly signal?: CallSignal;
  /** As in `CallContext`. */
  readonly checksForm?: boolean;
}

/**
 * Reserves limits for one model at a time. The reservation of a failed model is released before the next one, so that a fallback needs no
 * second reservation. The run's usage is settled once, with the last model.
 */
export function callContext(
  services: CallServices,
  caller: Caller,
  run: Run,
  { stream, size, signal, checksForm = false }: CallOptions,
): CallContext {
  const sized = (): CallSize | null => {
    const known = size();
    return known === null ? null : { operation: run.billedAs, ...known };
  };
  const take = (model: ModelEntry) => services.quota.take(caller.view, caller.principal, model, sized);
  let current: { readonly model: ModelEntry; readonly admission: Admission | null } | null = null;
  run.onEnd((record) => current?.admission?.settle(record));

  const accept = (model: ModelEntry, admission: Admission | null): void => {
    if (admission !== null && admission.refused !== null) {
      // A refused fallback sets no headers, because the caller receives the failure of the requested model.
      if (current === null) caller.setHeaders(admission.headers);
      throw admission.refused;
    }
    if (admission !== null) caller.setHeaders(admission.headers);
    current = { model, admission };
  };
  /** When the next model has no capacity, the call still counts for the failed one. */
  const goBack = async (failed: ModelEntry): Promise<void> => {
    const again = await take(failed);
    current = { model: failed, admission: again?.refused === null ? again : null };
  };

  return {
    run,
    stream,
    checksForm,
    signal: signal ?? caller.signal,
    fallback: fallbackFor(caller),
    admit(model) {
      const failed = current;
      if (failed === null) {
        const first = take(model);
        return first instanceof Promise ? first.then((admission) => accept(model, admission)) : accept(model, first);
      }
      failed.admission?.settle(null);
      return Promise.resolve(take(model))
        .then((admission) => accept(model, admission))
        .catch(async (refused: unknown) => {
          await goBack(failed.model);
          throw refused;
        });
    },
  };
}
