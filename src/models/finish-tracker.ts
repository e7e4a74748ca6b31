/** Decides when an answer is over and why, for every wire format: a finish reason is held back until nothing can follow it. */
import type { FinishReason } from '../types/chat.ts';
import type { Reading, StreamProgress } from '../types/wire-format.ts';
import { interruptedAnswer } from './answer-json.ts';
import { failedReason, meaningOf, unknownReason } from './finish-reasons.ts';

interface TrackedChoice {
  /** The last finish reason as the vendor wrote it, and what it means; undefined for a word that no table has. */
  raw: string | undefined;
  reason: FinishReason | undefined;
  /** Content came at all. */
  said: boolean;
  /** Content came after the last finish reason. */
  open: boolean;
}

/** How one choice ended. */
export interface Ended {
  readonly reason: FinishReason;
  readonly raw?: string;
  readonly warning?: string;
}

const missingReason = 'finish reason missing: taken as stop';

export class FinishTracker {
  readonly #own: Reading['finishReasons'];
  readonly #expected: number;
  readonly #warn: ((note: string) => void) | undefined;
  readonly #choices = new Map<number, TrackedChoice>();
  /** The vendor named a finish reason and went on. */
  #wentOn = false;
  /** `running`: counts came with parts of the answer, so none of them is known to be the last. */
  #counts: 'none' | 'final' | 'running' = 'none';

  /** `own`: words of the format itself, behind those of the vendor's row. */
  constructor(reading: Reading | undefined, own?: Reading['finishReasons']) {
    this.#own = own === undefined ? reading?.finishReasons : { ...own, ...reading?.finishReasons };
    this.#expected = reading?.choices ?? 1;
    this.#warn = reading?.warn;
  }

  /** The choice exists, whether or not it has content yet. */
  begin(choice: number): void {
    if (!this.#choices.has(choice)) this.#open(choice);
  }

  #open(choice: number): TrackedChoice {
    const state: TrackedChoice = { raw: undefined, reason: undefined, said: false, open: true };
    this.#choices.set(choice, state);
    return state;
  }

  get began(): boolean {
    return this.#choices.size > 0;
  }

  /** Content of the choice came. */
  content(choice: number): void {
    const state = this.#choices.get(choice) ?? this.#open(choice);
    if (!state.open) this.#wentOn = true;
    state.open = true;
    state.said = true;
    if (this.#counts === 'final') this.#counts = 'running';
  }

  /** The vendor named a finish reason, or a word that means none yet. Throws `upstream_error` where it says that it failed. */
  finish(choice: number, raw: string): void {
    const meaning = meaningOf(raw, this.#own);
    if (meaning === 'none') return;
    if (meaning === 'failure') throw failedReason(raw);
    const state = this.#choices.get(choice) ?? this.#open(choice);
    state.raw = raw;
    state.reason = meaning;
    state.open = false;
  }

  /** Says why a choice ended that names no reason itself. */
  finishAs(choice: number, reason: FinishReason, raw: string): void {
    const state = this.#choices.get(choice) ?? this.#open(choice);
    if (state.raw !== undefined) return;
    state.raw = raw;
    state.reason = reason;
    state.open = false;
  }

  /** Counts of tokens came. Unless some came before, or content follows, they are taken as the final ones. `apart`: without any choice beside them. */
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
    return this.#wentOn ? 'refinished' : 'finished';
  }

  /**
   * Why each choice ended. `closed`: the body ended without a word. `said`: the vendor said that the answer is over, or it is a whole
   * one with its counts. Throws `upstream_interrupted` where the answer may be incomplete.
   */
  end(how: 'closed' | 'said'): ReadonlyMap<number, Ended> {
    const over = how === 'said' || (this.#counts === 'final' && this.#choices.size >= this.#expected);
    if (!over && !this.#allFinished) throw interruptedAnswer();
    const ended = new Map<number, Ended>();
    for (const [choice, state] of this.#choices) ended.set(choice, this.#ended(state));
    return ended;
  }

  #ended({ raw, reason, said }: TrackedChoice): Ended {
    if (reason !== undefined && raw !== undefined) return { reason, raw };
    if (raw !== undefined) throw unknownReason(raw);
    // A choice without a word, a count or a reason is no answer.
    if (!said && this.#counts === 'none') throw interruptedAnswer();
    this.#warn?.(missingReason);
    return { reason: 'stop', warning: missingReason };
  }
}
