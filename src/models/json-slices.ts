/** Parses large JSON in slices: a native parser would block every other call until it is done. */
import { isUtf8 } from 'node:buffer';
import type { JsonMember, JsonOutline } from '../types/chat.ts';
import { GatewayError } from '../types/errors.ts';
import { isJsonSpace, memberKey, outlineJson, refuseMember } from './json-outline.ts';
import { refuseDepth } from './json-scanners.ts';

const quote = 0x22;
const backslash = 0x5c;
const openBrace = 0x7b;
const closeBrace = 0x7d;
const openBracket = 0x5b;
const closeBracket = 0x5d;
const comma = 0x2c;
const colon = 0x3a;
const letterU = 0x75;

/** The limit of objects and arrays: each takes about a hundred bytes in memory, but only two in a body. */
const mostContainers = 500_000;

export interface ParsedJson {
  readonly body: unknown;
  readonly outline: JsonOutline;
}

type Container = unknown[] | Record<string, unknown>;

function invalid(offset: number, what: string): GatewayError {
  return new GatewayError('invalid_json', `The body is not valid JSON: ${what} at byte ${offset}.`);
}

/** Parses a slice of text. */
function parseText(text: string, offset: number): unknown {
  try {
    return JSON.parse(text);
  } catch (cause) {
    throw new GatewayError('invalid_json', `The body is not valid JSON: a fault near byte ${offset}.`, { cause });
  }
}

function put(target: Container, key: string, value: unknown): void {
  // An assignment would change the prototype, where JSON has a property.
  if (key === '__proto__') Object.defineProperty(target, key, { value, writable: true, enumerable: true, configurable: true });
  else (target as Record<string, unknown>)[key] = value;
}

function addAll(target: Container | null, part: Container): Container {
  if (target === null) return part;
  if (Array.isArray(target)) for (const value of part as unknown[]) target.push(value);
  else for (const [key, value] of Object.entries(part)) put(target, key, value);
  return target;
}

/** An open object or array. The bytes between `from` and the read position are not parsed yet. */
interface Frame {
  readonly start: number;
  readonly isObject: boolean;
  /** The parsed part; null while the frame may be small enough to be parsed together with its parent. */
  value: Container | null;
  from: number;
  /** True when a value ends directly before `from`, so that only white space may precede the next comma. */
  hasValueBefore: boolean;
  /** Offsets of the current member's start and its colon. */
  memberStart: number;
  colonAt: number;
}

function open(start: number, isObject: boolean): Frame {
  return { start, isObject, value: null, from: start + 1, hasValueBefore: false, memberStart: start + 1, colonAt: -1 };
}

/** The text of a string value between its quotes, part by part. No part ends within an escape or a character. */
function* readText(bytes: Buffer, start: number, end: number, slice: number): Generator<void, string> {
  const parts: string[] = [];
  for (let from = start; from < end;) {
    let to = Math.min(from + slice, end);
    if (to < end) {
      while (to > from && ((bytes[to] ?? 0) & 0xc0) === 0x80) to--;
      to = outsideEscape(bytes, from, to);
    }
    parts.push(parseText(`"${bytes.toString('utf8', from, to)}"`, from) as string);
    from = to;
    yield;
  }
  return parts.join('');
}

/** `to`, or a nearby offset when `to` would split an escape: before the escape, unless that is the start. `from` is outside any escape. */
function outsideEscape(bytes: Buffer, from: number, to: number): number {
  for (let at = to - 1; at >= Math.max(from, to - 5); at--) {
    if (bytes[at] !== backslash) continue;
    let before = at;
    while (before > from && bytes[before - 1] === backslash) before--;
    const end = at + (bytes[at + 1] === letterU ? 6 : 2);
    if ((at - before) % 2 === 0 && end > to) return at > from ? at : end;
  }
  return to;
}

/** Within this distance a plain loop is faster than a native search. */
const nearby = 48;

/** The offset after the quote that closes the string around `from`. Negative: the string does not close before that offset, which is about `until` or later. */
function skipInString(bytes: Buffer, from: number, until: number): number {
  let at = from;
  while (at < until) {
    const stop = Math.min(at + nearby, bytes.length);
    while (at < stop) {
      const byte = bytes[at];
      if (byte === quote) return at + 1;
      at += byte === backslash ? 2 : 1;
    }
    const found = bytes.indexOf(quote, at);
    if (found === -1) return -bytes.length;
    // `at` is never inside an escape, so the backslashes between it and the quote decide.
    let before = found - 1;
    while (before >= at && bytes[before] === backslash) before--;
    at = found + 1;
    if ((found - before) % 2 === 1) return at;
  }
  return -at;
}

/**
 * Gives the results of `outlineJson` and `JSON.parse`, in steps of about `slice` bytes; the caller schedules the steps. Throws the same
 * errors, with an approximate offset of a fault, and `invalid_request` for too many objects and arrays.
 */
export function* parseJsonInSlices(bytes: Buffer, maxDepth: number, slice: number): Generator<void, ParsedJson> {
  if (!isUtf8(bytes)) throw new GatewayError('invalid_json', 'The body is not valid UTF-8.');
  const longText = slice * 4;
  const members = new Map<string, JsonMember>();
  const isBlank = (from: number, to: number): boolean => {
    for (let at = from; at < to; at++) if (!isJsonSpace(bytes[at])) return false;
    return true;
  };
  const skipSpace = (from: number): number => {
    let at = from;
    while (isJsonSpace(bytes[at])) at++;
    return at;
  };
  let at = skipSpace(0);
  if (bytes[at] !== openBrace && bytes[at] !== openBracket)
    return { body: parseText(bytes.toString('utf8'), at), outline: outlineJson(bytes, maxDepth) };
  const bodyStart = bytes[at] === openBrace ? at + 1 : 0;

  /** Parses the text of a frame up to `to`. The text must not be empty. */
  const parseUpTo = (frame: Frame, to: number): void => {
    const text = bytes.toString('utf8', frame.from, to);
    const part = parseText(frame.isObject ? `{${text}}` : `[${text}]`, frame.from) as Container;
    if ((Array.isArray(part) ? part.length : Object.keys(part).length) === 0) throw invalid(to, 'a value is missing');
    frame.value = addAll(frame.value, part);
  };
  /** Adds a separately parsed value to its frame. */
  const addValue = (frame: Frame, value: unknown, start: number, end: number): void => {
    if (frame.hasValueBefore) throw invalid(start, 'a comma is missing');
    if (frame.memberStart > frame.from) parseUpTo(frame, frame.memberStart - 1);
    frame.value ??= frame.isObject ? {} : [];
    if (frame.isObject) {
      const [key] = Object.keys(parseText(`{${bytes.toString('utf8', frame.memberStart, start)}0}`, start) as object);
      if (key === undefined) throw invalid(start, 'a key is missing');
      put(frame.value, key, value);
    } else {
      if (!isBlank(frame.memberStart, start)) throw invalid(start, 'a comma is missing');
      (frame.value as unknown[]).push(value);
    }
    frame.from = end;
    frame.hasValueBefore = true;
  };
  const note = (frame: Frame, end: number): void => {
    const keyStart = skipSpace(frame.memberStart);
    if (frame.colonAt === -1) throw invalid(keyStart, 'a colon is missing');
    let keyEnd = frame.colonAt;
    while (isJsonSpace(bytes[keyEnd - 1])) keyEnd--;
    const key = memberKey(bytes.toString('utf8', keyStart, keyEnd), keyStart);
    refuseMember(key, members.has(key));
    let valueEnd = end;
    while (isJsonSpace(bytes[valueEnd - 1])) valueEnd--;
    members.set(key, { keyStart, valueStart: skipSpace(frame.colonAt + 1), valueEnd });
  };

  const frames: Frame[] = [open(at, bytes[at] === openBrace)];
  let frame = frames[0] as Frame;
  let next = at + slice;
  let containers = 1;
  at++;
  while (at < bytes.length) {
    if (at >= next) {
      next = at + slice;
      yield;
    }
    const byte = bytes[at];
    if (byte === quote) {
      const start = at++;
      for (;;) {
        const end = skipInString(bytes, at, at + slice);
        at = end < 0 ? -end : end;
        if (end > 0) break;
        if (at >= bytes.length) throw invalid(start, 'a string that never ends');
        next = at + slice;
        yield;
      }
      const isValue = !frame.isObject || frame.colonAt !== -1;
      if (isValue && at - start > longText) addValue(frame, yield* readText(bytes, start + 1, at - 1, slice), start, at);
    } else if (byte === openBrace || byte === openBracket) {
      refuseDepth(frames.length + 1, maxDepth);
      if (++containers > mostContainers)
        throw new GatewayError('invalid_request', `The body holds more than ${mostContainers} objects and arrays; send fewer at once.`);
      frame = open(at, byte === openBrace);
      frames.push(frame);
      at++;
    } else if (byte === comma || byte === closeBrace || byte === closeBracket) {
      const isEnd = byte !== comma;
      if (isEnd && frame.isObject !== (byte === closeBrace)) throw invalid(at, 'a bracket of the other kind');
      const isEmpty = isEnd && frame.memberStart === frame.start + 1 && frame.colonAt === -1;
      if (frames.length === 1 && frame.isObject && !(isEmpty && isBlank(frame.memberStart, at))) note(frame, at);
      if (frame.hasValueBefore) {
        if (!isBlank(frame.from, at)) throw invalid(at, 'a comma is missing');
      } else if (isEnd ? frame.value !== null : at - frame.from >= slice) parseUpTo(frame, at);
      if (isEnd) {
        frames.pop();
        at++;
        const around = frames.at(-1);
        if (around === undefined) {
          if (!isBlank(at, bytes.length)) throw invalid(at, 'something stands after the end');
          const body = frame.value ?? parseText(bytes.toString('utf8', frame.start, at), frame.start);
          return { body, outline: { members, bodyStart } };
        }
        if (frame.value !== null) addValue(around, frame.value, frame.start, at);
        frame = around;
      } else {
        if (frame.value !== null && (frame.hasValueBefore || at - frame.from >= slice)) frame.from = at + 1;
        frame.hasValueBefore = false;
        frame.memberStart = at + 1;
        frame.colonAt = -1;
        at++;
      }
    } else {
      if (byte === colon && frame.colonAt === -1) frame.colonAt = at;
      at++;
    }
  }
  throw invalid(frame.start, 'an object or array that never ends');
}
