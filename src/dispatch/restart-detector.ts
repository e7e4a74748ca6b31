/** Detects a model that received the beginning of an answer and starts from the beginning again. */
import type { ChatEvent } from '../types/chat.ts';
import { Deviation } from './resume-matcher.ts';

/** Fewer equal characters are a coincidence. A continuation that repeats the beginning for real ends with an error and loses no text. */
const minMatch = 8;
const maxMatch = 40;

export class RestartDetector {
  readonly #beginning: string;
  #matched = 0;
  #pending: ChatEvent[] = [];
  #open: boolean;

  /** `beginning`: the text that the model received. */
  constructor(beginning: string) {
    this.#beginning = beginning.slice(0, maxMatch);
    this.#open = beginning.length >= minMatch;
  }

  /** The events that can be emitted now. Text that may be the beginning again is held. Throws `Deviation`. */
  take(events: readonly ChatEvent[]): readonly ChatEvent[] {
    if (!this.#open) return events;
    const out: ChatEvent[] = [];
    for (const event of events) {
      if (event.type === 'response-start') {
        out.push(event);
        continue;
      }
      this.#pending.push(event);
      if (event.type === 'text-delta') this.#compare(event.text);
      else this.#open = false;
      if (!this.#open) out.push(...this.#pending.splice(0));
    }
    return out;
  }

  #compare(text: string): void {
    if (!this.#open) return;
    const length = Math.min(text.length, this.#beginning.length - this.#matched);
    if (!this.#beginning.startsWith(text.slice(0, length), this.#matched)) this.#open = false;
    this.#matched += length;
    if (this.#open && this.#matched === this.#beginning.length) throw new Deviation('it started again');
  }
}
