/** Returns calls of free-text tools as such where the vendor was offered a function in their place. */
import type { ChatEvent } from '../../types/chat.ts';
import { TextFieldReader } from './text-field-reader.ts';

/** One answer's calls. Not for answers of requests without free-text tools. */
export class CustomCalls {
  readonly #names: ReadonlySet<string>;
  readonly #readers = new Map<string, TextFieldReader>();

  constructor(names: ReadonlySet<string>) {
    this.#names = names;
  }

  /** The events in the place of these. */
  readAll(events: readonly ChatEvent[]): readonly ChatEvent[] {
    return events.flatMap((event) => this.#read(event));
  }

  #read(event: ChatEvent): readonly ChatEvent[] {
    switch (event.type) {
      case 'tool-call-start':
        if (event.kind !== undefined || !this.#names.has(event.name)) return [event];
        this.#readers.set(`${event.choice} ${event.call}`, new TextFieldReader());
        return [{ ...event, kind: 'custom' }];
      case 'tool-call-delta': {
        const reader = this.#readers.get(`${event.choice} ${event.call}`);
        return reader === undefined ? [event] : [{ ...event, arguments: reader.push(event.arguments) }];
      }
      case 'finish':
        return [...this.#rest(event.choice), event];
      default:
        return [event];
    }
  }

  #rest(choice: number): ChatEvent[] {
    const rest: ChatEvent[] = [];
    for (const [key, reader] of this.#readers) {
      const [of, call] = key.split(' ').map(Number) as [number, number];
      const text = of === choice ? reader.end() : '';
      if (text !== '') rest.push({ type: 'tool-call-delta', choice, call, arguments: text });
    }
    return rest;
  }
}

/** Undefined without free-text tools. */
export function customCallsOf(names: ReadonlySet<string> | undefined): CustomCalls | undefined {
  return names === undefined || names.size === 0 ? undefined : new CustomCalls(names);
}
