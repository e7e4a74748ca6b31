/** The circuit breaker of one deployment: who keeps failing gets no calls for a while, then one probe at a time. */

export type CircuitState = 'closed' | 'open' | 'half-open';

export interface CircuitRules {
  /** Failures one after the other that open it. */
  readonly failures: number;
  /** Or this share of failures within the window, */
  readonly rate: number;
  /** from so many calls in it on. */
  readonly minimum: number;
  readonly window_ms: number;
  readonly open_ms: number;
}

/** Counts of one half of the window; two halves slide well enough. */
interface Half {
  startedAt: number;
  calls: number;
  failures: number;
}

/** Times are epoch milliseconds and given by the caller. */
export class Circuit {
  #state: CircuitState = 'closed';
  #openedAt = 0;
  #inARow = 0;
  #probing = false;
  #now: Half = { startedAt: 0, calls: 0, failures: 0 };
  #before: Half = { startedAt: 0, calls: 0, failures: 0 };
  readonly #changed: (state: CircuitState) => void;

  constructor(changed: (state: CircuitState) => void) {
    this.#changed = changed;
  }

  get state(): CircuitState {
    return this.#state;
  }

  /** Milliseconds until it takes a call again; 0 if it does now. */
  closedFor(rules: CircuitRules, now: number): number {
    if (this.#state === 'closed') return 0;
    if (this.#state === 'half-open') return this.#probing ? rules.open_ms : 0;
    return Math.max(0, this.#openedAt + rules.open_ms - now);
  }

  /** A call goes in. Only after `closedFor` said 0. True if it is a probe. */
  enter(): boolean {
    if (this.#state === 'closed') return false;
    this.#turn('half-open');
    this.#probing = true;
    return true;
  }

  /** A call came back. `failed` null: it told nothing (the caller left, or the fault was the caller's). */
  leave(failed: boolean | null, probe: boolean, rules: CircuitRules, now: number): void {
    if (probe) {
      this.#probing = false;
      if (failed === null || this.#state !== 'half-open') return;
      if (failed) this.#open(now);
      else this.#close();
      return;
    }
    // Calls that began before it opened are no news.
    if (failed === null || this.#state !== 'closed') return;
    this.#slide(rules, now);
    this.#now.calls++;
    if (!failed) {
      this.#inARow = 0;
      return;
    }
    this.#now.failures++;
    this.#inARow++;
    const calls = this.#now.calls + this.#before.calls;
    const failures = this.#now.failures + this.#before.failures;
    if (this.#inARow >= rules.failures || (calls >= rules.minimum && failures / calls >= rules.rate)) this.#open(now);
  }

  #slide(rules: CircuitRules, now: number): void {
    const age = now - this.#now.startedAt;
    if (age < rules.window_ms / 2) return;
    this.#before = age < rules.window_ms ? this.#now : { startedAt: now, calls: 0, failures: 0 };
    this.#now = { startedAt: now, calls: 0, failures: 0 };
  }

  #open(now: number): void {
    this.#openedAt = now;
    this.#turn('open');
  }

  #close(): void {
    this.#inARow = 0;
    this.#now = { startedAt: 0, calls: 0, failures: 0 };
    this.#before = { startedAt: 0, calls: 0, failures: 0 };
    this.#turn('closed');
  }

  #turn(state: CircuitState): void {
    if (this.#state === state) return;
    this.#state = state;
    this.#changed(state);
  }
}
