/** The circuit breaker of one deployment: who keeps failing gets no calls for a while, then one at a time tries. */

export type CircuitState = 'closed' | 'open' | 'half-open';
/** Who found that it is ill: calls, in which a probe for a token counts, or probes alone. */
export type CircuitSource = 'calls' | 'probes';

export interface CircuitTurn {
  readonly state: CircuitState;
  /** The lasting state before; half-open is a trial and lasts for none. */
  readonly before: 'closed' | 'open';
  /** Who opened it. */
  readonly by: CircuitSource;
}

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
  #openedBy: CircuitSource = 'calls';
  #lasting: 'closed' | 'open' = 'closed';
  #inARow = 0;
  #probesInARow = 0;
  /** Somebody tries whether it is well again: a call or a probe, one at a time. */
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

  /** Milliseconds until it takes a call again; 0 if it does now. A probe for a token (`early`) need not wait for the pause to end. */
  closedFor(rules: CircuitRules, now: number, early = false): number {
    if (this.#state === 'closed') return 0;
    if (this.#trying) return rules.open_ms;
    if (this.#state === 'half-open' || early) return 0;
    return Math.max(0, this.#openedAt + rules.open_ms - now);
  }

  /** A call goes in. Only after `closedFor` said 0. True if it is the one that tries. */
  enter(): boolean {
    if (this.#state === 'closed') return false;
    this.#turn('half-open');
    this.#trying = true;
    return true;
  }

  /** A call came back. `failed` null: it told nothing (the caller left, or the fault was the caller's). */
  leave(failed: boolean | null, trial: boolean, rules: CircuitRules, now: number): void {
    if (trial) {
      this.#trying = false;
      if (failed === null || this.#state !== 'half-open') return;
      if (failed) this.#open('calls', now);
      else this.#close();
      return;
    }
    // Calls that began before it opened are no news.
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
   * A probe that asks for no answer of the model begins. `trial`: it may close what probes opened, and no call goes beside it.
   * What calls opened it only looks at: a list of models says nothing of the answers. Null: it stays away, a call is trying.
   */
  ask(): { readonly trial: boolean } | null {
    if (this.#state === 'closed') return { trial: false };
    if (this.#trying) return null;
    const trial = this.#openedBy === 'probes';
    // Its state does not turn: a vendor that is away all night would otherwise turn it twice with every probe.
    this.#trying = trial;
    return { trial };
  }

  /** That probe came back. `most` failures of probes in a row, without a success of a call between them, open it. */
  asked(failed: boolean | null, trial: boolean, most: number, now: number): void {
    if (trial) {
      this.#trying = false;
      // A failure leaves the pause as it is: calls have the last word, so that a list that is kept from us cannot keep a model shut.
      if (failed === false) this.#close();
      return;
    }
    this.probed(failed, most, now);
  }

  /** Counts a probe of either kind. */
  probed(failed: boolean | null, most: number, now: number): void {
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
    this.#inARow = 0;
    this.#probesInARow = 0;
    this.#now = { startedAt: 0, calls: 0, failures: 0 };
    this.#before = { startedAt: 0, calls: 0, failures: 0 };
    this.#turn('closed');
  }

  #turn(state: CircuitState): void {
    if (this.#state === state) return;
    this.#state = state;
    const before = this.#lasting;
    if (state !== 'half-open') this.#lasting = state;
    this.#changed({ state, before, by: this.#openedBy });
  }
}
