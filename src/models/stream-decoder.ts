/** Decodes a streamed answer: splits its bytes into payloads of JSON and passes each to the answer reader of the vendor format. */
import type { ChatEvent, Usage } from '../types/chat.ts';
import type { JsonObject } from '../types/json.ts';
import type { ChatDecoder, StreamProgress } from '../types/wire-format.ts';
import { parseAnswer } from './answer-json.ts';

/** Reads the payloads of one answer into events. */
export interface PayloadReader {
  /** True after `response-end` was emitted. Later payloads are ignored. */
  readonly ended: boolean;
  readonly progress: StreamProgress;
  /** The counts so far, where the vendor sends them before the end. */
  readonly usage?: Usage | null;
  read(payload: JsonObject, events: ChatEvent[]): void;
  /** `closed`: the body ended. `done`: the vendor sent `[DONE]`. Throws `upstream_interrupted` when the answer may be incomplete. */
  end(how: 'closed' | 'done', events: ChatEvent[]): void;
}

/** Splits bytes into the texts of payloads, such as server-sent events or lines. */
export interface PayloadSplitter {
  push(bytes: Buffer): string[];
  end(): string[];
}

/** What some vendors and proxies send as data to keep a connection alive. */
const signOfLife = /^(?::.*|\[?(?:ping|pong|keep[-_ ]?alive|heartbeat|processing|waiting|null)\]?)$/is;

function isSignOfLife(payload: string): boolean {
  return payload === '' || (!payload.startsWith('{') && signOfLife.test(payload.trim()));
}

class StreamDecoder implements ChatDecoder {
  readonly #splitter: PayloadSplitter;
  readonly #reader: PayloadReader;

  constructor(splitter: PayloadSplitter, reader: PayloadReader) {
    this.#splitter = splitter;
    this.#reader = reader;
  }

  get progress(): StreamProgress {
    return this.#reader.progress;
  }

  get usage(): Usage | null {
    return this.#reader.usage ?? null;
  }

  #decode(payloads: readonly string[]): ChatEvent[] {
    const events: ChatEvent[] = [];
    for (const payload of payloads) {
      if (this.#reader.ended) break;
      // OpenAI's end mark, which vendors with other formats send too.
      if (payload.startsWith('[DONE]') && payload.trimEnd() === '[DONE]') this.#reader.end('done', events);
      else if (!isSignOfLife(payload)) this.#reader.read(parseAnswer(payload, 'a part of the stream'), events);
    }
    return events;
  }

  push(bytes: Buffer): ChatEvent[] {
    return this.#decode(this.#splitter.push(bytes));
  }

  end(): ChatEvent[] {
    const events = this.#decode(this.#splitter.end());
    if (!this.#reader.ended) this.#reader.end('closed', events);
    return events;
  }
}

export function createStreamDecoder(splitter: PayloadSplitter, reader: PayloadReader): ChatDecoder {
  return new StreamDecoder(splitter, reader);
}
