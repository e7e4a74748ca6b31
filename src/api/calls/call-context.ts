/** What a call brings to the router: its run, its caller's rights and its caller's limits. */
import type { CallContext } from '../../dispatch/dispatcher.ts';
import type { Admission } from '../../quota/quota.ts';
import type { CallSize } from '../../quota/demands.ts';
import type { Run } from '../../telemetry/run.ts';
import type { ModelEntry } from '../../types/snapshot.ts';
import { type Caller, fallbackFor } from './caller.ts';
import type { CallServices } from './services.ts';

export interface CallOptions {
  readonly stream: boolean;
  /** How large the call may become, null for one that nobody is asked for; asked only where a limit counts tokens or money. */
  readonly size: () => CallSize | null;
  readonly signal?: AbortSignal;
}

/** Room is set aside for each model in turn; what the run used is settled, once, with the model that was asked last. */
export function callContext(services: CallServices, caller: Caller, run: Run, { stream, size, signal }: CallOptions): CallContext {
  let latest: Admission | null = null;
  const accept = (admission: Admission | null): void => {
    if (admission === null) return;
    caller.tell(admission.headers);
    if (admission.refused !== null) throw admission.refused;
    if (latest === null) run.onEnd((record) => latest?.settle(record));
    else latest.settle(null);
    latest = admission;
  };
  return {
    run,
    stream,
    signal: signal ?? caller.signal,
    fallback: fallbackFor(caller),
    admit(model: ModelEntry) {
      const admission = services.quota.take(caller.view, caller.principal, model, size);
      if (admission instanceof Promise) return admission.then(accept);
      return accept(admission);
    },
  };
}
