/** Collects the events of an answer for the cache. Only a complete answer is stored. */
import type { ChatEvent } from '../types/chat.ts';

/** Deltas are joined up to this length in characters; a cached answer still streams. */
const pieceLength = 200;
/** Approximate overhead of an event in characters. */
const eventLength = 50;

/** Joins two deltas when nothing is lost. */
function joined(last: ChatEvent | undefined, event: ChatEvent): ChatEvent | null {
  if (last === undefined) return null;
  if (event.type === 'tool-call-delta') {
    if (last.type !== event.type || last.choice !== event.choice || last.call !== event.call) return null;
    return last.arguments.length >= pieceLength ? null : { ...last, arguments: last.arguments + event.arguments };
  }
  if (event.type !== 'text-delta' && event.type !== 'reasoning-delta' && event.type !== 'refusal-delta') return null;
  if (last.type !== event.type || last.choice !== event.choice || last.text.length >= pieceLength) return null;
  if ('logprobs' in last || 'logprobs' in event) return null;
  return { ...last, text: last.text + event.text };
}

export class AnswerCollector {
  readonly #maxLength: number;
  #events: ChatEvent[] = [];
  #length = 0;
  readonly #begun = new Set<number>();
  readonly #finished = new Set<number>();
  #says = false;
  #ended = false;
  #unfit = false;

  /** `maxLength` in characters, approximately. A longer answer is dropped. */
  constructor(maxLength: number) {
    this.#maxLength = maxLength;
  }

  add(events: readonly ChatEvent[]): void {
    for (const event of events) {
      if (this.#unfit) return;
      this.#look(event);
      const last = this.#events.at(-1);
      const both = joined(last, event);
      if (both === null) this.#events.push(event);
      else this.#events[this.#events.length - 1] = both;
      this.#length += lengthOf(event) + (both === null ? eventLength : 0);
      this.#unfit ||= this.#length > this.#maxLength;
    }
    if (this.#unfit) this.#events = [];
  }

  #look(event: ChatEvent): void {
    switch (event.type) {
      case 'response-end':
        this.#ended = true;
        break;
      case 'finish':
        this.#begun.add(event.choice);
        this.#finished.add(event.choice);
        // A filtered answer is not repeated.
        this.#unfit ||= event.reason === 'content_filter';
        break;
      // The vendor keeps sound for a while only, and the caller refers to it; steps are what Pailou did, which is not done again.
      case 'audio-delta':
      case 'step':
        this.#unfit = true;
        break;
      case 'response-start':
      case 'vendor':
        break;
      case 'text-delta':
      case 'refusal-delta':
      case 'tool-call-start':
        this.#says ||= event.type === 'tool-call-start' || event.text !== '';
        this.#begun.add(event.choice);
        break;
      case 'image':
        this.#says = true;
        this.#begun.add(event.choice);
        break;
      case 'reasoning-delta':
      case 'tool-call-delta':
      case 'thought':
      case 'annotation':
        this.#begun.add(event.choice);
    }
  }

  /** All events of a complete, non-empty answer: each of the `choices` has a finish reason. Null otherwise. */
  complete(choices: number): readonly ChatEvent[] | null {
    const whole = this.#says && this.#ended && this.#begun.size >= choices && this.#finished.size === this.#begun.size;
    return whole && !this.#unfit ? this.#events : null;
  }
}

function lengthOf(event: ChatEvent): number {
  switch (event.type) {
    case 'text-delta':
    case 'reasoning-delta':
    case 'refusal-delta':
      return event.text.length + ('logprobs' in event ? JSON.stringify(event.logprobs).length : 0);
    case 'tool-call-delta':
      return event.arguments.length;
    default:
      return JSON.stringify(event).length;
  }
}
