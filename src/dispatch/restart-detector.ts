/** Detects a model that received the beginning of an answer and starts from the beginning again. */
import type { ChatEvent } from '../types/chat.ts';
import { Deviation } from './resume-matcher.ts';

/** Fewer equal characters are a coincidence. A continuation that repeats the beginning for real ends with an error and loses no text. */
const chance = 8;
const proof = 40;

export class RestartDetector {
  readonly #beginning: string;
  #alike = 0;
  #held: ChatEvent[] = [];
  #open: boolean;

  /** `beginning`: the text that the model received. */
  constructor(beginning: string) {
    this.#beginning = beginning.slice(0, proof);
    this.#open = beginning.length >= chance;
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
      this.#held.push(event);
      if (event.type === 'text-delta') this.#compare(event.text);
      else this.#open = false;
      if (!this.#open) out.push(...this.#held.splice(0));
    }
    return out;
  }

  #compare(text: string): void {
    if (!this.#open) return;
    const length = Math.min(text.length, this.#beginning.length - this.#alike);
    if (!this.#beginning.startsWith(text.slice(0, length), this.#alike)) this.#open = false;
    this.#alike += length;
    if (this.#open && this.#alike === this.#beginning.length) throw new Deviation('it began anew');
  }
}
