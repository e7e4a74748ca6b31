/** Streams and answers in OpenAI's format and their decoded forms, for the tests of this folder. */
import { expect } from 'vitest';
import { createChunkEmitter } from '../../../../src/models/client-formats/chat-completions/emitter.ts';
import { openaiChat } from '../../../../src/models/vendor-formats/openai/chat.ts';
import type { ChatEvent } from '../../../../src/types/chat.ts';
import { checkCompletion, checkStream } from '../../../contract/strict-chat.ts';
import { collectCompletion } from '../../client-formats/collect.ts';

export type Chunk = Record<string, unknown>;
export const options = { id: 'chatcmpl-1', created: 1_700_000_000, model: 'public', reasoning: true };

export function frame(chunks: readonly (Chunk | string)[]): string {
  return chunks.map((chunk) => `data: ${typeof chunk === 'string' ? chunk : JSON.stringify(chunk)}\n\n`).join('');
}

export function choice(delta: Chunk, finish?: string | null, rest: Chunk = {}): Chunk {
  return {
    id: 'v1',
    object: 'chat.completion.chunk',
    created: 5,
    model: 'v',
    choices: [{ index: 0, delta, ...(finish === undefined ? {} : { finish_reason: finish }) }],
    ...rest,
  };
}

/** Decodes a stream in chunks of `size` bytes. */
export function decode(text: string, size = 1e9): ChatEvent[] {
  const decoder = openaiChat.decoder();
  const bytes = Buffer.from(text);
  const events: ChatEvent[] = [];
  for (let at = 0; at < bytes.length; at += size) events.push(...decoder.push(bytes.subarray(at, at + size)));
  events.push(...decoder.end());
  return events;
}

/** Emits the answer for the caller and checks it against the output contract. */
export function emit(events: readonly ChatEvent[], includeUsage = true): string {
  const text = createChunkEmitter({ ...options, includeUsage }).write(events);
  expect(checkStream(text, { usage: includeUsage })).toEqual([]);
  return text;
}

export async function collect(body: unknown): Promise<Record<string, unknown>> {
  const events = openaiChat.decodeResponse(Buffer.from(JSON.stringify(body)));
  const answer = JSON.parse(await collectCompletion(batches(events), options)) as Record<string, unknown>;
  expect(checkCompletion(answer)).toEqual([]);
  return answer;
}

export async function* batches(events: readonly ChatEvent[]): AsyncGenerator<readonly ChatEvent[]> {
  yield events;
}

export function textOf(events: readonly ChatEvent[], type: 'text-delta' | 'reasoning-delta' | 'refusal-delta' = 'text-delta'): string {
  return events.map((event) => (event.type === type ? event.text : '')).join('');
}

export function failure(text: string): unknown {
  try {
    decode(text);
  } catch (error) {
    return error;
  }
  return null;
}

export const done = '[DONE]';
export const usage = { prompt_tokens: 3, completion_tokens: 4, total_tokens: 7 };
