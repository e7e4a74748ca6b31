/** Splits a byte stream into the data of its server-sent events (WHATWG HTML, section 9.2), at any chunk boundaries. */
import { GatewayError } from '../types/errors.ts';

/** The limit of one event, which may hold a large picture. Without it, a vendor that never ends a line would fill the memory. */
export const maxEventBytes = 32 * 1024 * 1024;

const newline = 0x0a;

export interface EventSplitter {
  /** The data of the events that are complete now. Throws `upstream_invalid_response` for an event beyond the limit. */
  push(bytes: Buffer): string[];
  /** The data of a last event without a closing empty line. */
  end(): string[];
}

class LineSplitter implements EventSplitter {
  readonly #limit: number;
  /** The bytes after the last line end. */
  #pending: Buffer[] | null = null;
  #pendingBytes = 0;
  #data: string | null = null;
  #dataLength = 0;
  #isFirst = true;

  constructor(limit: number) {
    this.#limit = limit;
  }

  #tooLong(): GatewayError {
    return new GatewayError('upstream_invalid_response', 'The vendor sent a single event that is too large.', {
      details: { limit: this.#limit },
    });
  }

  #takeLine(line: string, out: string[]): void {
    if (line === '') {
      if (this.#data !== null) out.push(this.#data);
      this.#data = null;
      this.#dataLength = 0;
      return;
    }
    if (!line.startsWith('data') || (line.length > 4 && line[4] !== ':')) return;
    const value = line.slice(line[5] === ' ' ? 6 : 5);
    this.#dataLength += value.length + 1;
    if (this.#dataLength > this.#limit) throw this.#tooLong();
    this.#data = this.#data === null ? value : `${this.#data}\n${value}`;
  }

  #takeText(text: string, out: string[]): void {
    let at = 0;
    if (this.#isFirst) {
      this.#isFirst = false;
      if (text.charCodeAt(0) === 0xfeff) at = 1;
    }
    while (at < text.length) {
      let end = text.indexOf('\n', at);
      if (end === -1) end = text.length;
      this.#takeLine(text.slice(at, end > at && text.charCodeAt(end - 1) === 0x0d ? end - 1 : end), out);
      at = end + 1;
    }
  }

  push(bytes: Buffer): string[] {
    const out: string[] = [];
    const last = bytes.lastIndexOf(newline);
    if (last === -1) {
      this.#pendingBytes += bytes.length;
      if (this.#pendingBytes > this.#limit) throw this.#tooLong();
      (this.#pending ??= []).push(bytes);
      return out;
    }
    const before = this.#pending;
    if (before === null) this.#takeText(bytes.toString('utf8', 0, last + 1), out);
    else this.#takeText(Buffer.concat([...before, bytes.subarray(0, last + 1)]).toString('utf8'), out);
    this.#pendingBytes = bytes.length - last - 1;
    this.#pending = this.#pendingBytes > 0 ? [bytes.subarray(last + 1)] : null;
    return out;
  }

  end(): string[] {
    const out: string[] = [];
    if (this.#pending !== null) this.#takeText(Buffer.concat(this.#pending).toString('utf8'), out);
    this.#pending = null;
    this.#pendingBytes = 0;
    this.#takeLine('', out);
    return out;
  }
}

/**
 * Decodes up to the last received line end only, so that no character is split. Event names, ids and comments are skipped: every format
 * here has its type in the data. A lone CR does not end a line; no vendor sends one.
 */
export function createEventSplitter(limit: number = maxEventBytes): EventSplitter {
  return new LineSplitter(limit);
}
