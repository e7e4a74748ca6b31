/** Decides when an answer is complete and why it ended, for every vendor format. A finish reason is held until nothing can follow it. */
import type { FinishReason } from '../types/chat.ts';
import type { Reading, StreamProgress } from '../types/wire-format.ts';
import { interruptedAnswer } from './answer-json.ts';
import { failedReason, meaningOf, unknownReason } from './finish-reasons.ts';

interface TrackedChoice {
  /** The vendor's last finish reason, and its meaning; undefined for an unknown one of a format without a default. */
  raw: string | undefined;
  reason: FinishReason | undefined;
  /** True after the first content. */
  hasContent: boolean;
  /** True when content followed the last finish reason. */
  open: boolean;
}

/** The end of one choice. */
export interface Ended {
  readonly reason: FinishReason;
  readonly raw?: string;
  readonly warning?: string;
}

const missingReason = 'finish reason missing: taken as stop';

export class FinishTracker {
  readonly #vendorReasons: Reading['finishReasons'];
  readonly #defaultReason: FinishReason | undefined;
  readonly #expected: number;
  readonly #warn: ((note: string) => void) | undefined;
  readonly #choices = new Map<number, TrackedChoice>();
  /** True when the vendor sent a finish reason and then more content. */
  #continued = false;
  /** `running`: counts came with parts of the answer, so none of them is known to be the last. */
  #counts: 'none' | 'final' | 'running' = 'none';

  /**
   * `own`: finish reasons of the format. Those of the vendor's row precede them. `defaultReason`: what an unknown reason counts as, for a
   * client that reads the vendor's own words.
   */
  constructor(reading: Reading | undefined, own?: Reading['finishReasons'], defaultReason?: FinishReason) {
    const given = reading?.finishReasons;
    this.#vendorReasons = own === undefined || given === undefined ? (given ?? own) : { ...own, ...given };
    this.#defaultReason = defaultReason;
    this.#expected = reading?.choices ?? 1;
    this.#warn = reading?.warn;
  }

  /** Registers a choice, with or without content. */
  begin(choice: number): void {
    if (!this.#choices.has(choice)) this.#open(choice);
  }

  #open(choice: number): TrackedChoice {
    const state: TrackedChoice = { raw: undefined, reason: undefined, hasContent: false, open: true };
    this.#choices.set(choice, state);
    return state;
  }

  get hasChoices(): boolean {
    return this.#choices.size > 0;
  }

  /** Registers content of a choice. */
  content(choice: number): void {
    const state = this.#choices.get(choice) ?? this.#open(choice);
    if (!state.open) this.#continued = true;
    state.open = true;
    state.hasContent = true;
    if (this.#counts === 'final') this.#counts = 'running';
  }

  /** Registers a finish reason, or a value that means none yet. Throws `upstream_error` for a reason that reports a failure. */
  finish(choice: number, raw: string): void {
    const meaning = meaningOf(raw, this.#vendorReasons);
    if (meaning === 'none') return;
    if (meaning === 'failure') throw failedReason(raw);
    const state = this.#choices.get(choice) ?? this.#open(choice);
    state.raw = raw;
    state.reason = meaning;
    state.open = false;
  }

  /** Registers the end of a choice without a finish reason of its own. */
  finishAs(choice: number, reason: FinishReason, raw: string): void {
    const state = this.#choices.get(choice) ?? this.#open(choice);
    if (state.raw !== undefined) return;
    state.raw = raw;
    state.reason = reason;
    state.open = false;
  }

  /** Registers token counts. They are the final ones unless counts came before or content follows. `apart`: they came without a choice. */
  counted(apart: boolean): void {
    if (this.#choices.size === 0) return;
    if (this.#counts === 'none' || (apart && this.#allFinished)) this.#counts = 'final';
  }

  get #allFinished(): boolean {
    if (this.#choices.size < this.#expected) return false;
    for (const { open } of this.#choices.values()) if (open) return false;
    return true;
  }

  get progress(): StreamProgress {
    if (this.#choices.size < this.#expected) return 'open';
    if (!this.#allFinished) return this.#counts === 'final' ? 'finished' : 'open';
    if (this.#counts === 'final') return 'counted';
    return this.#continued ? 'refinished' : 'finished';
  }

  /**
   * The end of each choice. `closed`: the body ended without an end mark. `done`: the vendor sent its end mark, or the answer is whole
   * with counts. Throws `upstream_interrupted` when the answer may be incomplete.
   */
  end(how: 'closed' | 'done'): ReadonlyMap<number, Ended> {
    const isComplete = how === 'done' || (this.#counts === 'final' && this.#choices.size >= this.#expected);
    if (!isComplete && !this.#allFinished) throw interruptedAnswer();
    const ended = new Map<number, Ended>();
    for (const [choice, state] of this.#choices) ended.set(choice, this.#ended(state));
    return ended;
  }

  #ended({ raw, reason, hasContent }: TrackedChoice): Ended {
    if (reason !== undefined && raw !== undefined) return { reason, raw };
    if (raw !== undefined) {
      if (this.#defaultReason === undefined) throw unknownReason(raw);
      return { reason: this.#defaultReason, raw };
    }
    // A choice without content, counts or reason is not an answer.
    if (!hasContent && this.#counts === 'none') throw interruptedAnswer();
    this.#warn?.(missingReason);
    return { reason: 'stop', warning: missingReason };
  }
}
