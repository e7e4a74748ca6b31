/** The events of an attempt that no reader may see yet, up to the size of a whole answer. */
import { answerTooLarge, wholeBytes } from '../models/bounded-body.ts';
import type { ChatEvent } from '../types/chat.ts';
import type { GatewayError } from '../types/errors.ts';

function sizeOf(event: ChatEvent): number {
  switch (event.type) {
    case 'text-delta':
    case 'reasoning-delta':
    case 'refusal-delta':
      return event.text.length;
    case 'tool-call-delta':
      return event.arguments.length;
    case 'audio-delta':
      return JSON.stringify(event.audio).length;
    case 'image':
      return event.url.length;
    default:
      // The size of an event without content, so that such events are limited too.
      return 64;
  }
}

export class HeldEvents {
  #events: readonly ChatEvent[] = [];
  /** The same array while it is this object's own. */
  #own: ChatEvent[] | null = null;
  #size = 0;

  /** `upstream_invalid_response` for an answer that no model writes; null when there is room. */
  add(batch: readonly ChatEvent[]): GatewayError | null {
    if (this.#events.length === 0) {
      this.#events = batch;
      return null;
    }
    if (this.#own === null) {
      this.#own = [...this.#events];
      this.#events = this.#own;
      for (const event of this.#own) this.#size += sizeOf(event);
    }
    for (const event of batch) {
      this.#own.push(event);
      this.#size += sizeOf(event);
    }
    return this.#size > wholeBytes ? answerTooLarge(wholeBytes) : null;
  }

  /** All of them, once. */
  take(): readonly ChatEvent[] {
    const events = this.#events;
    this.#events = [];
    this.#own = null;
    this.#size = 0;
    return events;
  }
}
