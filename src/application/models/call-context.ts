/** What a call brings to the router: its run, its caller's rights and its caller's limits. */
import type { CallContext } from '../../dispatch/dispatcher.ts';
import type { Admission } from '../../quota/quota.ts';
import type { CallSize } from '../../quota/limit-requests.ts';
import type { Run } from '../../telemetry/run.ts';
import type { ModelEntry } from '../../types/snapshot.ts';
import { type Caller, fallbackFor } from '../caller.ts';
import type { CallServices } from '../services.ts';

export interface CallOptions {
  readonly stream: boolean;
  /** How large the call may become, null for one that nobody is asked for; asked only where a limit counts tokens or money. */
  readonly size: () => CallSize | null;
  readonly signal?: AbortSignal;
  /** As in `CallContext`. */
  readonly checksForm?: boolean;
}

/**
 * Room is set aside for one model at a time: what a failed model held is given back before room for the next is asked for,
 * so that a fallback needs no second place. What the run used is settled, once, with the model that was asked last.
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
      // Of a refused fallback the caller hears nothing: the failure is that of the model they asked for.
      if (current === null) caller.tell(admission.headers);
      throw admission.refused;
    }
    if (admission !== null) caller.tell(admission.headers);
    current = { model, admission };
  };
  /** Where the next model has no room, the call still counts at the one that failed. */
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
