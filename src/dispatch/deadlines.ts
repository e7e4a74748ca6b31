/** The time limits of an attempt whose work takes an `AbortSignal`. */
import type { CallSignal } from '../types/call-signal.ts';
import type { GatewayError } from '../types/errors.ts';
import { AttemptClock, type Limit, type TotalLimit } from './attempt-clock.ts';

/** Aborts `signal` when the current limit expires or the caller leaves. Call `clear` at the end. */
export class Deadlines {
  readonly #controller = new AbortController();
  readonly signal: AbortSignal = this.#controller.signal;
  readonly #caller: CallSignal;
  readonly #clock: AttemptClock;
  #failure: GatewayError | null = null;
  #onExpiry: () => void = () => {};

  constructor(caller: CallSignal, total: TotalLimit) {
    this.#caller = caller;
    this.#clock = new AttemptClock(total, (_limit, failure) => this.#expire(failure));
    if (caller.aborted) this.#left();
    // Never removed: the caller's signal lives as long as the call, and an abort after the attempt has no effect.
    else caller.addEventListener('abort', this.#left, { once: true });
  }

  readonly #left = (): void => this.#controller.abort(this.#caller.reason);

  set(limit: Limit, milliseconds: number): void {
    this.#clock.set(limit, milliseconds);
  }

  pause(): void {
    this.#clock.pause();
  }

  clear(): void {
    this.#clock.clear();
  }

  /** Calls `listener` at once when a limit expires. A reader that does not read would not notice. */
  whenExpired(listener: () => void): void {
    this.#onExpiry = listener;
  }

  /** The limit that ended this attempt, or null. */
  get failure(): GatewayError | null {
    return this.#failure;
  }

  #expire(failure: GatewayError): void {
    this.#failure = failure;
    this.#controller.abort(failure);
    this.#onExpiry();
  }
}
