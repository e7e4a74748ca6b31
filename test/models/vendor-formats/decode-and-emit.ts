/** Decodes a vendor's bytes and emits answers, for tests of any chat format. */
import { expect } from 'vitest';
import { createChunkEmitter } from '../../../src/models/client-formats/chat-completions/emitter.ts';
import type { ChatEvent } from '../../../src/types/chat.ts';
import type { ChatFormat, Reading } from '../../../src/types/wire-format.ts';
import { checkCompletion, checkStream } from '../../contract/strict-chat.ts';
import { collectCompletion } from '../client-formats/collect.ts';

export type Text = 'text-delta' | 'reasoning-delta';
const emitted = { id: 'chatcmpl-1', created: 1_700_000_000, model: 'public', reasoning: true };

/** Decodes a stream in chunks of `size` bytes. */
export function decode(format: ChatFormat, text: string, size = 1e9, reading?: Reading): ChatEvent[] {
  const decoder = format.decoder(reading);
  const bytes = Buffer.from(text);
  const events: ChatEvent[] = [];
  for (let at = 0; at < bytes.length; at += size) events.push(...decoder.push(bytes.subarray(at, at + size)));
  events.push(...decoder.end());
  return events;
}

/** Events as text without generated ids, which differ between answers. */
function comparable(events: readonly ChatEvent[]): string {
  return JSON.stringify(events).replace(/call_[0-9a-f]{32}/g, 'call_minted');
}

/** Decodes `text` whole and cut at every byte, and expects equal events. */
export function decodeEveryCut(format: ChatFormat, text: string): ChatEvent[] {
  const whole = decode(format, text);
  const wanted = comparable(whole);
  const bytes = Buffer.from(text);
  for (let cut = 1; cut < bytes.length; cut++) {
    const decoder = format.decoder();
    const events = [...decoder.push(bytes.subarray(0, cut)), ...decoder.push(bytes.subarray(cut)), ...decoder.end()];
    expect(comparable(events)).toBe(wanted);
  }
  expect(comparable(decode(format, text, 1))).toBe(wanted);
  return whole;
}

export function textOf(events: readonly ChatEvent[], type: Text = 'text-delta'): string {
  return events.map((event) => (event.type === type ? event.text : '')).join('');
}

/** The texts of the events of one type. */
export function deltas(events: readonly ChatEvent[], type: Text = 'text-delta'): string[] {
  return events.flatMap((event) => (event.type === type ? [event.text] : []));
}

export interface ReadCall {
  readonly id: string;
  readonly name: string;
  readonly arguments: string;
}

/** The tool calls of one choice, in the order of their numbers. */
export function callsOf(events: readonly ChatEvent[], choice = 0): ReadCall[] {
  const calls: ReadCall[] = [];
  for (const event of events) {
    if (event.type === 'tool-call-start' && event.choice === choice) calls[event.call] = { id: event.id, name: event.name, arguments: '' };
    if (event.type !== 'tool-call-delta' || event.choice !== choice) continue;
    const call = calls[event.call];
    if (call === undefined) throw new Error('arguments of a call that has not begun');
    calls[event.call] = { ...call, arguments: call.arguments + event.arguments };
  }
  return calls;
}

export function finishOf(events: readonly ChatEvent[], choice = 0): string | undefined {
  for (const event of events) if (event.type === 'finish' && event.choice === choice) return event.reason;
  return undefined;
}

export function usageOf(events: readonly ChatEvent[]): unknown {
  const end = events.at(-1);
  return end?.type === 'response-end' ? end.usage : undefined;
}

/** Emits a stream for the caller and checks it against the output contract. */
export function emit(events: readonly ChatEvent[]): string {
  const text = createChunkEmitter({ ...emitted, includeUsage: true }).write(events);
  expect(checkStream(text, { usage: true })).toEqual([]);
  return text;
}

export interface Completion {
  readonly choices: readonly { readonly message: Record<string, unknown>; readonly finish_reason: string; readonly logprobs: unknown }[];
  readonly usage: Record<string, unknown>;
}

/** Collects a whole answer for the caller and checks it against the output contract. */
export async function collect(events: readonly ChatEvent[]): Promise<Completion> {
  async function* batches(): AsyncGenerator<readonly ChatEvent[]> {
    yield events;
  }
  const answer = JSON.parse(await collectCompletion(batches(), emitted)) as Completion;
  expect(checkCompletion(answer)).toEqual([]);
  return answer;
}

/** Returns the error that `work` throws. */
export function thrownBy(work: () => unknown): unknown {
  try {
    work();
  } catch (error) {
    return error;
  }
  return null;
}
