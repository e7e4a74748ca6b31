/** Locates the top-level members of a JSON object in its bytes, in one pass, before any parsing. */
import { isUtf8 } from 'node:buffer';
import type { JsonMember, JsonOutline } from '../types/chat.ts';
import { GatewayError } from '../types/errors.ts';

const quote = 0x22;
const backslash = 0x5c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const comma = 0x2c;
const colon = 0x3a;

function invalid(offset: number, what: string): GatewayError {
  return new GatewayError('invalid_json', `The body is not valid JSON: ${what} at byte ${offset}.`);
}

export function isJsonSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function skipSpace(bytes: Buffer, from: number): number {
  let at = from;
  while (isJsonSpace(bytes[at])) at++;
  return at;
}

/** Within this distance a plain loop is faster than a native search: program code has many escaped quotes. */
const nearby = 48;

/** The offset after the closing quote of the string that opens at `from`. Searches nearby bytes first, then jumps from quote to quote. */
function skipString(bytes: Buffer, from: number): number {
  let at = from + 1;
  for (;;) {
    const stop = Math.min(at + nearby, bytes.length);
    while (at < stop) {
      const byte = bytes[at];
      if (byte === quote) return at + 1;
      at += byte === backslash ? 2 : 1;
    }
    const found = bytes.indexOf(quote, at);
    if (found === -1) throw invalid(from, 'a string that never ends');
    // `at` is never inside an escape, so the backslashes between it and the quote decide.
    let before = found - 1;
    while (before >= at && bytes[before] === backslash) before--;
    at = found + 1;
    if ((found - before) % 2 === 1) return at;
  }
}

export function refuseDepth(depth: number, maxDepth: number): void {
  if (depth > maxDepth)
    throw new GatewayError('invalid_request', `The body is nested deeper than ${maxDepth} levels; nothing that deep is accepted.`);
}

/** Throws for a top-level key that is not allowed. */
export function refuseMember(key: string, isThere: boolean): void {
  if (key === '__proto__') throw new GatewayError('invalid_request', 'The body may not have a field named __proto__.', { param: key });
  if (isThere)
    throw new GatewayError('invalid_request', `The field "${key.slice(0, 64)}" stands twice in the body; send it once.`, {
      param: key.slice(0, 64),
    });
}

/** The offset after the object or array that opens at `from`, at depth `outside`. JSON.parse checks that the brackets match. */
function skipNested(bytes: Buffer, from: number, outside: number, maxDepth: number): number {
  let depth = outside;
  let at = from;
  while (at < bytes.length) {
    const byte = bytes[at];
    if (byte === quote) {
      at = skipString(bytes, at);
      continue;
    }
    at++;
    if (byte === openBrace || byte === openBracket) {
      depth++;
      refuseDepth(depth, maxDepth);
    } else if (byte === closeBrace || byte === closeBracket) {
      depth--;
      if (depth === outside) return at;
    }
  }
  throw invalid(from, 'an object or array that never ends');
}

function skipValue(bytes: Buffer, from: number, outside: number, maxDepth: number): number {
  const first = bytes[from];
  if (first === quote) return skipString(bytes, from);
  if (first === openBrace || first === openBracket) return skipNested(bytes, from, outside, maxDepth);
  let at = from;
  while (at < bytes.length) {
    const byte = bytes[at];
    if (byte === comma || byte === closeBrace || byte === closeBracket || isJsonSpace(byte)) break;
    at++;
  }
  if (at === from) throw invalid(from, 'no value');
  return at;
}

export function memberKey(bytes: Buffer, start: number, end: number): string {
  const text = bytes.toString('utf8', start, end);
  if (!text.includes('\\')) return text.slice(1, -1);
  try {
    return JSON.parse(text) as string;
  } catch {
    throw invalid(start, 'a malformed key');
  }
}

/**
 * Locates each top-level member of `bytes`. An outline is valid only for bytes that JSON.parse accepts as well. Call it first, because it
 * limits the depth to `maxDepth` levels, including the outermost. A body that is not an object has no members. A duplicate top-level key
 * is refused: readers differ on which one applies, and a second `model` must not reach a vendor past the permission check. `__proto__` is
 * refused too. At deeper levels both are harmless. JSON.parse makes them ordinary own properties, and Pailou never merges nested objects
 * of a caller into its own. The text is forwarded unchanged.
 */
export function outlineJson(bytes: Buffer, maxDepth: number): JsonOutline {
  if (!isUtf8(bytes)) throw new GatewayError('invalid_json', 'The body is not valid UTF-8.');
  const members = new Map<string, JsonMember>();
  const start = skipSpace(bytes, 0);
  if (bytes[start] !== openBrace) {
    if (bytes[start] === openBracket) skipNested(bytes, start, 0, maxDepth);
    return { members, bodyStart: 0 };
  }
  let at = skipSpace(bytes, start + 1);
  const bodyStart = start + 1;
  if (bytes[at] === closeBrace) return { members, bodyStart };
  for (;;) {
    if (bytes[at] !== quote) throw invalid(at, 'a key in double quotes is missing');
    const keyStart = at;
    const keyEnd = skipString(bytes, at);
    at = skipSpace(bytes, keyEnd);
    if (bytes[at] !== colon) throw invalid(at, 'a colon is missing');
    const valueStart = skipSpace(bytes, at + 1);
    const valueEnd = skipValue(bytes, valueStart, 1, maxDepth);
    const key = memberKey(bytes, keyStart, keyEnd);
    refuseMember(key, members.has(key));
    members.set(key, { keyStart, valueStart, valueEnd });
    at = skipSpace(bytes, valueEnd);
    if (bytes[at] === closeBrace) return { members, bodyStart };
    if (bytes[at] !== comma) throw invalid(at, 'a comma is missing');
    at = skipSpace(bytes, at + 1);
  }
}
