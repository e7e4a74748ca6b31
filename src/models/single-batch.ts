/** An answer in one batch, for readers of events. */
import type { ChatEvent } from '../types/chat.ts';

type Batch = readonly ChatEvent[];

/** Calls `batch` once, when the reader pulls. A generator that yields once would cost several times as much. */
export function singleBatch(batch: () => Batch | Promise<Batch>): AsyncIterableIterator<Batch, undefined> {
  let asked = false;
  return {
    async next() {
      if (asked) return { done: true, value: undefined };
      asked = true;
      return { done: false, value: await batch() };
    },
    async return() {
      asked = true;
      return { done: true, value: undefined };
    },
    [Symbol.asyncIterator]() {
      return this;
    },
  };
}
