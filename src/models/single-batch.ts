/** An answer in one batch, for readers of events. */
import type { ChatEvent } from '../types/chat.ts';

type Batch = readonly ChatEvent[];

/** Calls `batch` once, when the reader pulls. A generator that yields once would cost several times as much. */
export function singleBatch(batch: () => Batch | Promise<Batch>): AsyncIterableIterator<Batch, undefined> {
  let requested = false;
  return {
    async next() {
      if (requested) return { done: true, value: undefined };
      requested = true;
      return { done: false, value: await batch() };
    },
    async return() {
      requested = true;
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
