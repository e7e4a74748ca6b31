/** The events of an answer as they go by, gathered to be kept: only a complete one is. */
import type { ChatEvent } from '../types/chat.ts';

/** Words come in pieces of a few letters; kept together up to so many, they are still given again as a stream. */
const pieceLength = 200;
/** About what an event takes besides its words. */
const eventLength = 50;

/** Both as one, where nothing is lost by it. */
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

  /** `maxLength` in characters, about; of a longer answer nothing is held. */
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
        // What a filter cut off is no answer to give again.
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

  /** All events, if the answer says something and ended as it should: each of `choices` choices with its finish reason. Null otherwise. */
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
