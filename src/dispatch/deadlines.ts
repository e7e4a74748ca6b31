/** The time limits of one attempt, with one timer that looks at the clock instead of one per read. */
import { GatewayError } from '../types/errors.ts';

export type Limit = 'first token' | 'idle' | 'total';

function expired(limit: Limit, milliseconds: number): GatewayError {
  if (limit === 'idle') return new GatewayError('upstream_interrupted', `The vendor fell silent for ${milliseconds} ms in the middle of the answer; what came before is incomplete.`, { details: { limit, milliseconds } });
  const what = limit === 'total' ? 'The call took longer than its limit' : 'The vendor showed no first token within its limit';
  return new GatewayError('upstream_timeout', `${what} of ${milliseconds} ms.`, { details: { limit, milliseconds } });
}

/** Aborts `signal` when the limit in force has passed. Set a limit again to restart it; `clear` when done. */
export class Deadlines {
  readonly #controller = new AbortController();
  readonly signal: AbortSignal;
  readonly #total: { at: number; milliseconds: number };
  #limit: Limit = 'total';
  #milliseconds = 0;
  #at = Infinity;
  #timer: NodeJS.Timeout | undefined;

  constructor(caller: AbortSignal, total: { at: number; milliseconds: number }) {
    this.#total = total;
    this.signal = AbortSignal.any([caller, this.#controller.signal]);
  }

  /** From now on `limit` counts. Cheap: a running timer is left alone and looks again when it fires. */
  set(limit: Limit, milliseconds: number): void {
    this.#limit = limit;
    this.#milliseconds = milliseconds;
    this.#at = Date.now() + milliseconds;
    this.#timer ??= this.#arm();
  }

  clear(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** The reason why this attempt was ended by a limit, or null. */
  get failure(): GatewayError | null {
    return this.#controller.signal.aborted ? (this.#controller.signal.reason as GatewayError) : null;
  }

  #arm(): NodeJS.Timeout {
    return setTimeout(() => this.#look(), Math.max(1, Math.min(this.#at, this.#total.at) - Date.now()));
  }

  #look(): void {
    this.#timer = undefined;
    const now = Date.now();
    if (now >= this.#total.at) this.#controller.abort(expired('total', this.#total.milliseconds));
    else if (now >= this.#at) this.#controller.abort(expired(this.#limit, this.#milliseconds));
    else this.#timer = this.#arm();
  }
}
