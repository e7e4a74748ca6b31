/** Kept answers in this process, bounded by their bytes: what was not asked for longest goes first. */
import { LRUCache } from 'lru-cache';
import type { AnswerStore } from './answer-store.ts';

/** What an entry takes besides its text. */
const entryBytes = 500;

/** In memory of its own: a short text must not hold a piece of memory that it shares with others. */
function bytesOf(text: string): Buffer {
  const bytes = Buffer.allocUnsafeSlow(Buffer.byteLength(text));
  bytes.write(text);
  return bytes;
}

export function createMemoryAnswers(maxBytes: number): AnswerStore {
  const answers = new LRUCache<string, Buffer>({ maxSize: maxBytes, sizeCalculation: (bytes) => bytes.length + entryBytes });
  return {
    get: (key) => answers.get(key)?.toString('utf8') ?? null,
    set(key, text, ttlMs) {
      answers.set(key, bytesOf(text), { ttl: ttlMs });
    },
  };
}
