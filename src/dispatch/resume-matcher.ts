/** Holds a second answer to what was sent of the first: kept back while it says the same once more, stopped where it says something else. */
import { isDeepStrictEqual } from 'node:util';
import type { ChatEvent } from '../types/chat.ts';
import { GatewayError } from '../types/errors.ts';
import { type Channel, channelOf, type DeliveredChoice } from './delivered-content.ts';

/** The second answer says something else than what the caller already has. */
export class Deviation extends GatewayError {
  constructor(where: string) {
    super(
      'upstream_interrupted',
      'The vendor cut the answer short, and a second answer did not begin with the same words. What you received is incomplete.',
      { details: { deviates: where }, retryable: false },
    );
  }
}

/** How far the second answer has repeated one choice. */
interface Place {
  readonly said: DeliveredChoice;
  /** Which stretch, and how many characters of it. */
  stretch: number;
  offset: number;
  thoughts: number;
  annotations: number;
  ended: boolean;
}

const nothing: DeliveredChoice = { stretches: [], thoughts: 0, annotations: [], finish: null };

export interface ResumeMatcherOptions {
  /** False: the second answer began where words of text had been said, and thoughts do not belong there. */
  readonly thinks: boolean;
}

export class ResumeMatcher {
  readonly #places = new Map<number, Place>();
  readonly #thinks: boolean;

  /** `said`: what the second answer is to say once more, by choice. */
  constructor(said: ReadonlyMap<number, DeliveredChoice>, { thinks }: ResumeMatcherOptions = { thinks: true }) {
    this.#thinks = thinks;
    for (const [choice, each] of said) this.#place(choice, each);
  }

  #place(choice: number, said: DeliveredChoice = nothing): Place {
    let place = this.#places.get(choice);
    if (place === undefined) this.#places.set(choice, (place = { said, stretch: 0, offset: 0, thoughts: 0, annotations: 0, ended: false }));
    return place;
  }

  /** What of a batch is new. Throws `Deviation`. */
  take(events: readonly ChatEvent[]): ChatEvent[] {
    const fresh: ChatEvent[] = [];
    for (const event of events) this.#take(event, fresh);
    return fresh;
  }

  #take(event: ChatEvent, fresh: ChatEvent[]): void {
    if (event.type === 'response-start') return;
    if (event.type === 'response-end') {
      for (const [choice, place] of this.#places)
        if (!place.ended && place.said !== nothing) throw new Deviation(`choice ${choice} is missing`);
      fresh.push(event);
      return;
    }
    if (event.type === 'step') {
      fresh.push(event);
      return;
    }
    const place = this.#place(event.choice);
    const channel = channelOf(event);
    if (channel !== null) {
      const { text } = event as Extract<ChatEvent, { type: 'text-delta' }>;
      const rest = this.#beyond(place, channel, text);
      if (rest !== '') fresh.push({ ...event, text: rest } as ChatEvent);
    } else if (event.type === 'thought') {
      // Sealed by the vendor, and so never the same twice: that there was one is all that can be compared.
      if (place.thoughts < place.said.thoughts) place.thoughts++;
      else if (this.#caughtUp(place)) fresh.push(event);
    } else if (event.type === 'annotation' && place.annotations < place.said.annotations.length) {
      if (!isDeepStrictEqual(event.annotation, place.said.annotations[place.annotations])) throw new Deviation('an annotation');
      place.annotations++;
    } else if (event.type === 'finish') {
      if (!this.#caughtUp(place)) throw new Deviation('it ends sooner');
      place.ended = true;
      if (place.said.finish === null) fresh.push(event);
      else if (place.said.finish !== event.reason) throw new Deviation('it ends otherwise');
    } else {
      if (!this.#caughtUp(place) || place.said.finish !== null) throw new Deviation(event.type);
      fresh.push(event);
    }
  }

  #caughtUp({ said, stretch, offset }: Place): boolean {
    const last = said.stretches.length - 1;
    return stretch > last || (stretch === last && offset === said.stretches[last]?.text.length);
  }

  /** What of `text` goes beyond what was said. */
  #beyond(place: Place, channel: Channel, text: string): string {
    const { stretches, finish } = place.said;
    let rest = text;
    while (rest !== '') {
      const expected = stretches[place.stretch];
      if (expected === undefined) break;
      if (place.offset === expected.text.length) {
        // Words of another kind begin, or the last ones go on; in between they may not.
        if (channel === expected.channel && place.stretch === stretches.length - 1) break;
        if (channel === expected.channel) throw new Deviation(`more ${channel}`);
        place.stretch++;
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
