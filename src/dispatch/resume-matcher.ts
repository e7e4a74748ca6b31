/** Compares a second answer with the delivered part of the first: holds it while it repeats, and stops it when it differs. */
import { isDeepStrictEqual } from 'node:util';
import type { ChatEvent } from '../types/chat.ts';
import { GatewayError } from '../types/errors.ts';
import { type Channel, channelOf, type DeliveredChoice } from './delivered-content.ts';

/** The second answer differs from the delivered content. */
export class Deviation extends GatewayError {
  constructor(where: string) {
    super(
      'upstream_interrupted',
      'The vendor cut the answer short, and a second answer did not begin with the same words. What you received is incomplete.',
      { details: { deviates: where }, retryable: false },
    );
  }
}

/** How much of one choice the second answer has repeated. */
interface Place {
  readonly delivered: DeliveredChoice;
  /** The current segment, and the number of its characters that matched. */
  segment: number;
  offset: number;
  thoughts: number;
  annotations: number;
  ended: boolean;
}

const nothing: DeliveredChoice = { segments: [], thoughts: 0, annotations: [], finish: null };

export interface ResumeMatcherOptions {
  /** False when the second answer continues within text, where reasoning does not belong. */
  readonly thinks: boolean;
}

export class ResumeMatcher {
  readonly #places = new Map<number, Place>();
  readonly #thinks: boolean;

  /** `delivered`: the content that the second answer must repeat, by choice. */
  constructor(delivered: ReadonlyMap<number, DeliveredChoice>, { thinks }: ResumeMatcherOptions = { thinks: true }) {
    this.#thinks = thinks;
    for (const [choice, each] of delivered) this.#place(choice, each);
  }

  #place(choice: number, delivered: DeliveredChoice = nothing): Place {
    let place = this.#places.get(choice);
    if (place === undefined)
      this.#places.set(choice, (place = { delivered, segment: 0, offset: 0, thoughts: 0, annotations: 0, ended: false }));
    return place;
  }

  /** The new events of a batch. Throws `Deviation`. */
  take(events: readonly ChatEvent[]): ChatEvent[] {
    const newEvents: ChatEvent[] = [];
    for (const event of events) this.#take(event, newEvents);
    return newEvents;
  }

  #take(event: ChatEvent, newEvents: ChatEvent[]): void {
    if (event.type === 'response-start') return;
    if (event.type === 'response-end') {
      for (const [choice, place] of this.#places)
        if (!place.ended && place.delivered !== nothing) throw new Deviation(`choice ${choice} is missing`);
      newEvents.push(event);
      return;
    }
    if (event.type === 'step') {
      newEvents.push(event);
      return;
    }
    const place = this.#place(event.choice);
    const channel = channelOf(event);
    if (channel !== null) {
      const { text } = event as Extract<ChatEvent, { type: 'text-delta' }>;
      const rest = this.#newText(place, channel, text);
      if (rest !== '') newEvents.push({ ...event, text: rest } as ChatEvent);
    } else if (event.type === 'thought') {
      // Encrypted reasoning is never equal twice, so only its existence is compared.
      if (place.thoughts < place.delivered.thoughts) place.thoughts++;
      else if (this.#caughtUp(place)) newEvents.push(event);
    } else if (event.type === 'annotation' && place.annotations < place.delivered.annotations.length) {
      if (!isDeepStrictEqual(event.annotation, place.delivered.annotations[place.annotations])) throw new Deviation('an annotation');
      place.annotations++;
    } else if (event.type === 'finish') {
      if (!this.#caughtUp(place)) throw new Deviation('it ends sooner');
      place.ended = true;
      if (place.delivered.finish === null) newEvents.push(event);
      else if (place.delivered.finish !== event.reason) throw new Deviation('it ends otherwise');
    } else {
      if (!this.#caughtUp(place) || place.delivered.finish !== null) throw new Deviation(event.type);
      newEvents.push(event);
    }
  }

  #caughtUp({ delivered, segment, offset }: Place): boolean {
    const last = delivered.segments.length - 1;
    return segment > last || (segment === last && offset === delivered.segments[last]?.text.length);
  }

  /** The part of `text` beyond the delivered content. */
  #newText(place: Place, channel: Channel, text: string): string {
    const { segments, finish } = place.delivered;
    let rest = text;
    while (rest !== '') {
      const expected = segments[place.segment];
      if (expected === undefined) break;
      if (place.offset === expected.text.length) {
        // Text of another kind may start at the end of a segment, but not within it.
        if (channel === expected.channel && place.segment === segments.length - 1) break;
        if (channel === expected.channel) throw new Deviation(`more ${channel}`);
        place.segment++;
        place.offset = 0;
        continue;
      }
      if (channel !== expected.channel) throw new Deviation(`${channel} instead of ${expected.channel}`);
      const length = Math.min(rest.length, expected.text.length - place.offset);
      if (!expected.text.startsWith(rest.slice(0, length), place.offset)) throw new Deviation(channel);
      place.offset += length;
      rest = rest.slice(length);
    }
    if (rest !== '' && finish !== null) throw new Deviation(`more ${channel}`);
    if (rest !== '' && channel === 'reasoning' && !this.#thinks) throw new Deviation(channel);
    return rest;
  }
}
