/** Notices a model that was given the beginning of an answer and starts from the first word all the same. */
import type { ChatEvent } from '../types/chat.ts';
import { Deviation } from './resume-matcher.ts';

/** Fewer characters alike are chance; so many are none. Whoever goes on and comes to repeat the beginning ends with an error, not with words lost. */
const chance = 8;
const proof = 40;

export class RestartDetector {
  readonly #beginning: string;
  #alike = 0;
  #held: ChatEvent[] = [];
  #open: boolean;

  /** `beginning`: what the model was given. */
  constructor(beginning: string) {
    this.#beginning = beginning.slice(0, proof);
    this.#open = beginning.length >= chance;
  }

  /** What may go out now; words that may yet turn out to be the first ones again are held. Throws `Deviation`. */
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
