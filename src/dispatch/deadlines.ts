/** The time limits of one attempt. One timer checks the clock, instead of one timer per read. */
import { GatewayError } from '../types/errors.ts';

export type Limit = 'first token' | 'idle' | 'total';

function expired(limit: Limit, milliseconds: number): GatewayError {
  if (limit === 'idle')
    return new GatewayError(
      'upstream_interrupted',
      `The vendor fell silent for ${milliseconds} ms in the middle of the answer; what came before is incomplete.`,
      { details: { limit, milliseconds } },
    );
  const what = limit === 'total' ? 'The call took longer than its limit' : 'The vendor showed no first token within its limit';
  return new GatewayError('upstream_timeout', `${what} of ${milliseconds} ms.`, { details: { limit, milliseconds } });
}

/** Aborts `signal` when the current limit expires or the caller leaves. Setting a limit again restarts it; call `clear` at the end. */
export class Deadlines {
  readonly #controller = new AbortController();
  readonly signal: AbortSignal = this.#controller.signal;
  readonly #caller: AbortSignal;
  readonly #total: { at: number; milliseconds: number };
  #limit: Limit = 'total';
  #milliseconds = 0;
  #at = Infinity;
  #timer: NodeJS.Timeout | undefined;
  #firesAt = Infinity;
  #failure: GatewayError | null = null;
  #onExpiry: () => void = () => {};

  constructor(caller: AbortSignal, total: { at: number; milliseconds: number }) {
    this.#total = total;
    this.#caller = caller;
    if (caller.aborted) this.#left();
    // Never removed: the caller's signal lives as long as the call, and an abort after the attempt has no effect.
    else caller.addEventListener('abort', this.#left, { once: true });
  }

  readonly #left = (): void => this.#controller.abort(this.#caller.reason);

  /** Makes `limit` the current one. Cheap: a running timer is kept and re-checks when it fires. */
  set(limit: Limit, milliseconds: number): void {
    this.#limit = limit;
    this.#milliseconds = milliseconds;
    this.#at = Date.now() + milliseconds;
    if (this.#timer !== undefined && this.#firesAt <= this.#at) return;
    clearTimeout(this.#timer);
    this.#arm();
  }

  /** Leaves only the total limit in force until the next `set`. */
  pause(): void {
    this.#at = Infinity;
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Calls `listener` at once when a limit expires. A reader that does not read would not notice. */
  whenExpired(listener: () => void): void {
    this.#onExpiry = listener;
  }

  /** The limit that ended this attempt, or null. */
  get failure(): GatewayError | null {
    return this.#failure;
  }

  #arm(): void {
    this.#firesAt = Math.min(this.#at, this.#total.at);
    this.#timer = setTimeout(() => this.#look(), Math.max(1, this.#firesAt - Date.now()));
  }

  #expire(failure: GatewayError): void {
    this.#failure = failure;
    this.#controller.abort(failure);
    this.#onExpiry();
  }

  #look(): void {
    this.#timer = undefined;
    const now = Date.now();
    if (now >= this.#total.at) this.#expire(expired('total', this.#total.milliseconds));
    else if (now >= this.#at) this.#expire(expired(this.#limit, this.#milliseconds));
    else this.#arm();
  }
}
