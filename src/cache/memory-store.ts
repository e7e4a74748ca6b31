/** Cached answers in process memory: an LRU bounded by bytes. */
import { LRUCache } from 'lru-cache';
import type { AnswerStore } from './answer-store.ts';

/** Overhead of an entry in bytes. */
const entryBytes = 500;

/** An unpooled buffer: a short text must not keep a shared 8 kB pool alive. */
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
