/** Skip strings, objects and arrays of a JSON body: in its bytes, or in the text of a body that is all ASCII, where each search is cheaper. */
import { GatewayError } from '../types/errors.ts';

const quote = 0x22;
const backslash = 0x5c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;

/** Offsets count bytes. */
export interface JsonScanner {
  readonly length: number;
  /** NaN behind the end. */
  byteAt(at: number): number;
  /** The offset after the closing quote of the string that opens at `from`. Throws `invalid_json` for a string without an end. */
  stringEnd(from: number): number;
  /** The offset after the object or array that opens at `from`, at depth `outside`. JSON.parse checks that the brackets match. */
  nestedEnd(from: number, outside: number, maxDepth: number): number;
  textOf(start: number, end: number): string;
}

export function invalidJson(offset: number, what: string): GatewayError {
  return new GatewayError('invalid_json', `The body is not valid JSON: ${what} at byte ${offset}.`);
}

export function refuseDepth(depth: number, maxDepth: number): void {
  if (depth > maxDepth)
    throw new GatewayError('invalid_request', `The body is nested deeper than ${maxDepth} levels; nothing that deep is accepted.`);
}

const endless = (from: number): GatewayError => invalidJson(from, 'a string that never ends');
const unclosed = (from: number): GatewayError => invalidJson(from, 'an object or array that never ends');

export class ByteScanner implements JsonScanner {
  readonly #bytes: Buffer;
  readonly length: number;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.length = bytes.length;
  }

  byteAt(at: number): number {
    return this.#bytes[at] ?? Number.NaN;
  }

  textOf(start: number, end: number): string {
    return this.#bytes.toString('utf8', start, end);
  }

  /** Searches nearby bytes first, then jumps from quote to quote: program code has many escaped quotes. */
  stringEnd(from: number): number {
    const bytes = this.#bytes;
    let at = from + 1;
    for (;;) {
      const stop = Math.min(at + 48, bytes.length);
      while (at < stop) {
        const byte = bytes[at];
        if (byte === quote) return at + 1;
        at += byte === backslash ? 2 : 1;
      }
      const found = bytes.indexOf(quote, at);
      if (found === -1) throw endless(from);
      // `at` is never inside an escape, so the backslashes between it and the quote decide.
      let before = found - 1;
      while (before >= at && bytes[before] === backslash) before--;
      at = found + 1;
      if ((found - before) % 2 === 1) return at;
    }
  }

  nestedEnd(from: number, outside: number, maxDepth: number): number {
    const bytes = this.#bytes;
    let depth = outside;
    let at = from;
    while (at < bytes.length) {
      const byte = bytes[at];
      if (byte === quote) {
        at = this.stringEnd(at);
        continue;
      }
      at++;
      if (byte === openBrace || byte === openBracket) refuseDepth(++depth, maxDepth);
      else if ((byte === closeBrace || byte === closeBracket) && --depth === outside) return at;
    }
    throw unclosed(from);
  }
}

export class TextScanner implements JsonScanner {
  readonly #text: string;
  readonly length: number;

  /** `text`: ASCII only, so that its offsets are those of its bytes. */
  constructor(text: string) {
    this.#text = text;
    this.length = text.length;
  }

  byteAt(at: number): number {
    return this.#text.charCodeAt(at);
  }

  textOf(start: number, end: number): string {
    return this.#text.slice(start, end);
  }

  /** As for bytes. The search for a quote is cheaper here, so that fewer characters are looked at one by one. */
  stringEnd(from: number): number {
    const text = this.#text;
    let at = from + 1;
    for (;;) {
      const stop = Math.min(at + 12, text.length);
      while (at < stop) {
        const code = text.charCodeAt(at);
        if (code === quote) return at + 1;
        at += code === backslash ? 2 : 1;
      }
      const found = text.indexOf('"', at);
      if (found === -1) throw endless(from);
      let before = found - 1;
      while (before >= at && text.charCodeAt(before) === backslash) before--;
      at = found + 1;
      if ((found - before) % 2 === 1) return at;
    }
  }

  nestedEnd(from: number, outside: number, maxDepth: number): number {
    const text = this.#text;
    let depth = outside;
    let at = from;
    while (at < text.length) {
      const code = text.charCodeAt(at);
      if (code === quote) {
        at = this.stringEnd(at);
        continue;
      }
      at++;
      if (code === openBrace || code === openBracket) refuseDepth(++depth, maxDepth);
      else if ((code === closeBrace || code === closeBracket) && --depth === outside) return at;
    }
    throw unclosed(from);
  }
}
