/** The time limits of one attempt: one timer that checks the clock, instead of one timer per read. */
import { GatewayError } from '../types/errors.ts';
import { monotonicNow } from '../scheduling/monotonic-clock.ts';

export type Limit = 'first byte' | 'first token' | 'idle' | 'total';

/** The limit of the whole call. */
export interface TotalLimit {
  /** By `monotonicNow`. */
  readonly at: number;
  readonly milliseconds: number;
}

const tooLate: Readonly<Record<Exclude<Limit, 'idle'>, string>> = {
  'first byte': 'The vendor sent no first byte within its limit',
  'first token': 'The vendor showed no first token within its limit',
  total: 'The call took longer than its limit',
};

function expired(limit: Limit, milliseconds: number): GatewayError {
  if (limit === 'idle')
    return new GatewayError(
      'upstream_interrupted',
      `The vendor fell silent for ${milliseconds} ms in the middle of the answer; what came before is incomplete.`,
      { details: { limit, milliseconds } },
    );
  return new GatewayError('upstream_timeout', `${tooLate[limit]} of ${milliseconds} ms.`, { details: { limit, milliseconds } });
}

/** Calls `onExpiry` once when the current limit or the total one expires. Setting a limit again restarts it; call `clear` at the end. */
export class AttemptClock {
  readonly #total: TotalLimit;
  readonly #onExpiry: (limit: Limit, failure: GatewayError) => void;
  #limit: Limit = 'total';
  #milliseconds = 0;
  #at = Infinity;
  #timer: NodeJS.Timeout | undefined;
  #firesAt = Infinity;

  constructor(total: TotalLimit, onExpiry: (limit: Limit, failure: GatewayError) => void) {
    this.#total = total;
    this.#onExpiry = onExpiry;
  }

  /** Makes `limit` the current one. Cheap: a running timer is kept and re-checks when it fires. */
  set(limit: Limit, milliseconds: number): void {
    this.#limit = limit;
    this.#milliseconds = milliseconds;
    this.#at = monotonicNow() + milliseconds;
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

  #arm(): void {
    this.#firesAt = Math.min(this.#at, this.#total.at);
    this.#timer = setTimeout(look, Math.max(1, this.#firesAt - monotonicNow()), this);
  }

  look(): void {
    this.#timer = undefined;
    const now = monotonicNow();
    if (now >= this.#total.at) this.#onExpiry('total', expired('total', this.#total.milliseconds));
    else if (now >= this.#at) this.#onExpiry(this.#limit, expired(this.#limit, this.#milliseconds));
    else this.#arm();
  }
}

/** One function for all clocks, so that a timer needs no closure. */
function look(clock: AttemptClock): void {
  clock.look();
}
