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
class ReservingContext implements CallContext {
  readonly run: Run;
  readonly stream: boolean;
  readonly checksForm: boolean;
  readonly signal: CallSignal;
  readonly #services: CallServices;
  readonly #caller: Caller;
  readonly #size: () => CallSize | null;
  #model: ModelEntry | null = null;
  #admission: Admission | null = null;
  #settles = false;

  constructor(services: CallServices, caller: Caller, run: Run, { stream, size, signal, checksForm = false }: CallOptions) {
    this.run = run;
    this.stream = stream;
    this.checksForm = checksForm;
    this.signal = signal ?? caller.signal;
    this.#services = services;
    this.#caller = caller;
    this.#size = size;
  }

  fallback(name: string): ModelEntry | null {
    return fallbackFor(this.#caller)(name);
  }

  admit(model: ModelEntry): void | Promise<void> {
    const failed = this.#model;
    if (failed === null) {
      const first = this.#take(model);
      return first instanceof Promise ? first.then((admission) => this.#accept(model, admission)) : this.#accept(model, first);
    }
    this.#admission?.settle(null);
    return this.#admitNext(failed, model);
  }

  async #admitNext(failed: ModelEntry, next: ModelEntry): Promise<void> {
    try {
      this.#accept(next, await this.#take(next));
    } catch (refused) {
      // When the next model has no capacity, the call still counts for the failed one.
      const again = await this.#take(failed);
      this.#hold(failed, again?.refused === null ? again : null);
      throw refused;
    }
  }

  #take(model: ModelEntry): ReturnType<CallServices['quota']['take']> {
    const { view, principal } = this.#caller;
    return this.#services.quota.take(view, principal, model, () => {
      const known = this.#size();
      return known === null ? null : { operation: this.run.billedAs, ...known };
    });
  }

  #accept(model: ModelEntry, admission: Admission | null): void {
    if (admission !== null && admission.refused !== null) {
      // A refused fallback sets no headers, because the caller receives the failure of the requested model.
      if (this.#model === null) this.#caller.setHeaders(admission.headers);
      throw admission.refused;
    }
    if (admission !== null) this.#caller.setHeaders(admission.headers);
    this.#hold(model, admission);
  }

  #hold(model: ModelEntry, admission: Admission | null): void {
    this.#model = model;
    this.#admission = admission;
    if (admission === null || this.#settles) return;
    this.#settles = true;
    this.run.onEnd((record) => this.#admission?.settle(record));
  }
}

export function callContext(services: CallServices, caller: Caller, run: Run, options: CallOptions): CallContext {
  return new ReservingContext(services, caller, run, options);
}
