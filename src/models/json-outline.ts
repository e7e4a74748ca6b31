/** Locates the top-level members of a JSON object in its bytes, in one pass, before any parsing. */
import { isUtf8 } from 'node:buffer';
import type { JsonMember, JsonOutline } from '../types/chat.ts';
import { GatewayError } from '../types/errors.ts';
import { ByteScanner, invalidJson, type JsonScanner, TextScanner } from './json-scanners.ts';

const quote = 0x22;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const comma = 0x2c;
const colon = 0x3a;

export function isJsonSpace(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}

function skipSpace(body: JsonScanner, from: number): number {
  let at = from;
  while (isJsonSpace(body.byteAt(at))) at++;
  return at;
}

/** Throws for a top-level key that is not allowed. */
export function refuseMember(key: string, isThere: boolean): void {
  if (key === '__proto__') throw new GatewayError('invalid_request', 'The body may not have a field named __proto__.', { param: key });
  if (isThere)
    throw new GatewayError('invalid_request', `The field "${key.slice(0, 64)}" stands twice in the body; send it once.`, {
      param: key.slice(0, 64),
    });
}

function skipValue(body: JsonScanner, from: number, outside: number, maxDepth: number): number {
  const first = body.byteAt(from);
  if (first === quote) return body.stringEnd(from);
  if (first === openBrace || first === openBracket) return body.nestedEnd(from, outside, maxDepth);
  let at = from;
  while (at < body.length) {
    const byte = body.byteAt(at);
    if (byte === comma || byte === closeBrace || byte === closeBracket || isJsonSpace(byte)) break;
    at++;
  }
  if (at === from) throw invalidJson(from, 'no value');
  return at;
}

/** `text`: the key in its quotes, which begins at `start`. */
export function memberKey(text: string, start: number): string {
  if (!text.includes('\\')) return text.slice(1, -1);
  try {
    return JSON.parse(text) as string;
  } catch {
    throw invalidJson(start, 'a malformed key');
  }
}

/**
 * Locates each top-level member of `bytes`. An outline is valid only for bytes that JSON.parse accepts as well. Call it first, because it
 * limits the depth to `maxDepth` levels, including the outermost. A body that is not an object has no members. A duplicate top-level key
 * is refused: readers differ on which one applies, and a second `model` must not reach a vendor past the permission check. `__proto__` is
 * refused too. At deeper levels both are harmless. JSON.parse makes them ordinary own properties, and Pailou never merges nested objects
 * of a caller into its own. The text is forwarded unchanged. `ascii`: the same body as text, where all of it is ASCII.
 */
export function outlineJson(bytes: Buffer, maxDepth: number, ascii: string | null = null): JsonOutline {
  if (ascii === null && !isUtf8(bytes)) throw new GatewayError('invalid_json', 'The body is not valid UTF-8.');
  return outlineOf(ascii === null ? new ByteScanner(bytes) : new TextScanner(ascii), maxDepth);
}

function outlineOf(body: JsonScanner, maxDepth: number): JsonOutline {
  const members = new Map<string, JsonMember>();
  const start = skipSpace(body, 0);
  if (body.byteAt(start) !== openBrace) {
    if (body.byteAt(start) === openBracket) body.nestedEnd(start, 0, maxDepth);
    return { members, bodyStart: 0 };
  }
  let at = skipSpace(body, start + 1);
  const bodyStart = start + 1;
  if (body.byteAt(at) === closeBrace) return { members, bodyStart };
  for (;;) {
    if (body.byteAt(at) !== quote) throw invalidJson(at, 'a key in double quotes is missing');
    const keyStart = at;
    const keyEnd = body.stringEnd(at);
    at = skipSpace(body, keyEnd);
    if (body.byteAt(at) !== colon) throw invalidJson(at, 'a colon is missing');
    const valueStart = skipSpace(body, at + 1);
    const valueEnd = skipValue(body, valueStart, 1, maxDepth);
    const key = memberKey(body.textOf(keyStart, keyEnd), keyStart);
    refuseMember(key, members.has(key));
    members.set(key, { keyStart, valueStart, valueEnd });
    at = skipSpace(body, valueEnd);
    if (body.byteAt(at) === closeBrace) return { members, bodyStart };
    if (body.byteAt(at) !== comma) throw invalidJson(at, 'a comma is missing');
    at = skipSpace(body, at + 1);
  }
}
