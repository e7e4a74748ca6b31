/** Cancels a call. Costs a fraction of an AbortController, which is created only for work that needs an `AbortSignal`. */
import type { CallSignal } from '../types/call-signal.ts';

export class Cancellation implements CallSignal {
  #aborted = false;
  #reason: unknown;
  #first: (() => void) | null = null;
  #others: Set<() => void> | null = null;
  #controller: AbortController | null = null;

  get aborted(): boolean {
    return this.#aborted;
  }

  get reason(): unknown {
    return this.#reason;
  }

  /** Calls every listener once, in the order in which they were added. Later calls do nothing. */
  abort(reason: unknown): void {
    if (this.#aborted) return;
    this.#aborted = true;
    this.#reason = reason;
    const first = this.#first;
    const others = this.#others;
    this.#first = null;
    this.#others = null;
    this.#controller?.abort(reason);
    first?.();
    if (others !== null) for (const listener of others) listener();
  }

  addEventListener(_type: 'abort', listener: () => void): void {
    if (this.#aborted) return;
    if (this.#first === null && this.#others === null) this.#first = listener;
    else (this.#others ??= new Set()).add(listener);
  }

  removeEventListener(_type: 'abort', listener: () => void): void {
    if (this.#first === listener) this.#first = null;
    else this.#others?.delete(listener);
  }

  throwIfAborted(): void {
    if (this.#aborted) throw this.#reason;
  }

  toAbortSignal(): AbortSignal {
    if (this.#controller === null) {
      this.#controller = new AbortController();
      if (this.#aborted) this.#controller.abort(this.#reason);
    }
    return this.#controller.signal;
  }
}

/** A cancellation that follows `parent`, and can be cancelled alone. */
export function cancellationWithin(parent: CallSignal): Cancellation {
  const own = new Cancellation();
  if (parent.aborted) own.abort(parent.reason);
  else parent.addEventListener('abort', () => own.abort(parent.reason), { once: true });
  return own;
}

/** The same signal for work that needs an `AbortSignal`, such as `fetch`. */
export function abortSignalOf(signal: CallSignal): AbortSignal {
  return signal instanceof Cancellation ? signal.toAbortSignal() : (signal as AbortSignal);
}
