/** The circuit breaker of one deployment: after repeated failures it gets no calls for a while, then one trial at a time. */

export type CircuitState = 'closed' | 'open' | 'half-open';
/** What opened the circuit: calls, which include token probes, or probes alone. */
export type CircuitSource = 'calls' | 'probes';

export interface CircuitTurn {
  readonly state: CircuitState;
  /** The last lasting state. A half-open circuit is a trial and not a lasting state. */
  readonly before: 'closed' | 'open';
  /** What opened it. */
  readonly by: CircuitSource;
}

export interface CircuitRules {
  /** The number of consecutive failures that opens it. */
  readonly failures: number;
  /** The share of failures within the window that opens it, */
  readonly rate: number;
  /** with at least this many calls in the window. */
  readonly minimum: number;
  readonly window_ms: number;
  readonly open_ms: number;
}

/** Counts of one half of the window. Two halves approximate a sliding window. */
interface Half {
  startedAt: number;
  calls: number;
  failures: number;
}

/** Times are those of a clock that only goes forward, given by the caller. */
export class Circuit {
  #state: CircuitState = 'closed';
  #openedAt = 0;
  #openedBy: CircuitSource = 'calls';
  #lasting: 'closed' | 'open' = 'closed';
  #inARow = 0;
  #probesInARow = 0;
  /** True during a trial by a call or a probe; one runs at a time. */
  #trying = false;
  #now: Half = { startedAt: 0, calls: 0, failures: 0 };
  #before: Half = { startedAt: 0, calls: 0, failures: 0 };
  readonly #changed: (turn: CircuitTurn) => void;

  constructor(changed: (turn: CircuitTurn) => void) {
    this.#changed = changed;
  }

  get state(): CircuitState {
    return this.#state;
  }

  /** Milliseconds until it accepts a call; 0 when it does now. A token probe (`early`) skips the pause. */
  closedFor(rules: CircuitRules, now: number, early = false): number {
    if (this.#state === 'closed') return 0;
    if (this.#trying) return rules.open_ms;
    if (this.#state === 'half-open' || early) return 0;
    return Math.max(0, this.#openedAt + rules.open_ms - now);
  }

  /** Starts a call. Call only after `closedFor` returned 0. True when the call is the trial. */
  enter(): boolean {
    if (this.#state === 'closed') return false;
    this.#turn('half-open');
    this.#trying = true;
    return true;
  }

  /** Ends a call. `failed`: null when the outcome says nothing, because the caller left or was at fault. */
  leave(failed: boolean | null, trial: boolean, rules: CircuitRules, now: number): void {
    if (trial) {
      this.#trying = false;
      if (failed === null || this.#state !== 'half-open') return;
      if (failed) this.#open('calls', now);
      else this.#close();
      return;
    }
    // Calls that started before the circuit opened are not evidence.
    if (failed === null || this.#state !== 'closed') return;
    this.#slide(rules, now);
    this.#now.calls++;
    if (!failed) {
      this.#inARow = 0;
      this.#probesInARow = 0;
      return;
    }
    this.#now.failures++;
    this.#inARow++;
    const calls = this.#now.calls + this.#before.calls;
    const failures = this.#now.failures + this.#before.failures;
    if (this.#inARow >= rules.failures || (calls >= rules.minimum && failures / calls >= rules.rate)) this.#open('calls', now);
  }

  /**
   * Starts a probe that is not a call. `trial`: it may close a circuit that probes opened, and excludes calls meanwhile. A circuit that
   * calls opened is only observed, because a list of models says nothing about answers. Null: a call is on trial, so no probe starts.
   */
  startProbe(): { readonly trial: boolean } | null {
    if (this.#state === 'closed') return { trial: false };
    if (this.#trying) return null;
    const trial = this.#openedBy === 'probes';
    // The state does not change here: during a long outage it would otherwise change twice with every probe.
    this.#trying = trial;
    return { trial };
  }

  /** Ends that probe. `most` consecutive failed probes, without a successful call between them, open the circuit. */
  endProbe(failed: boolean | null, trial: boolean, most: number, now: number): void {
    if (trial) {
      this.#trying = false;
      // A failed probe does not extend the pause: calls decide, so that an inaccessible model list cannot disable a model.
      if (failed === false) this.#close();
      return;
    }
    this.countProbe(failed, most, now);
  }

  /** Takes over the state of another process, without a call of the listener. A trial of this process decides for itself. */
  follow(state: 'open' | 'closed', by: CircuitSource, now: number): void {
    if (this.#trying) return;
    this.#state = state;
    this.#lasting = state;
    if (state === 'closed') return this.#forget();
    this.#openedAt = now;
    this.#openedBy = by;
  }

  /** Counts a probe of either kind. */
  countProbe(failed: boolean | null, most: number, now: number): void {
    if (failed === null || this.#state !== 'closed') return;
    this.#probesInARow = failed ? this.#probesInARow + 1 : 0;
    if (this.#probesInARow >= most) this.#open('probes', now);
  }

  #slide(rules: CircuitRules, now: number): void {
    const age = now - this.#now.startedAt;
    if (age < rules.window_ms / 2) return;
    this.#before = age < rules.window_ms ? this.#now : { startedAt: now, calls: 0, failures: 0 };
    this.#now = { startedAt: now, calls: 0, failures: 0 };
  }

  #open(by: CircuitSource, now: number): void {
    this.#openedAt = now;
    this.#openedBy = by;
    this.#turn('open');
  }

  #close(): void {
    this.#forget();
    this.#turn('closed');
  }

  #forget(): void {
    this.#inARow = 0;
    this.#probesInARow = 0;
    this.#now = { startedAt: 0, calls: 0, failures: 0 };
    this.#before = { startedAt: 0, calls: 0, failures: 0 };
  }

  #turn(state: CircuitState): void {
    if (this.#state === state) return;
    this.#state = state;
    const before = this.#lasting;
    if (state !== 'half-open') this.#lasting = state;
    this.#changed({ state, before, by: this.#openedBy });
  }
}
