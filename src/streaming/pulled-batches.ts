/** Reads a pushed answer by pulling, for readers off the hot path: the tool loop, skills, resumption. */
import type { BatchSink, BatchSource } from '../types/batch-source.ts';

class PulledBatches<T> implements AsyncIterableIterator<T, undefined>, BatchSink<T> {
  readonly #source: BatchSource<T>;
  readonly #queue: T[] = [];
  #started = false;
  #paused = false;
  #ended = false;
  #failure: { readonly thrown: unknown } | null = null;
  #waiting: PromiseWithResolvers<IteratorResult<T, undefined>> | null = null;

  constructor(source: BatchSource<T>) {
    this.#source = source;
  }

  /** The source pauses after each batch, because the reader is busy with it until it pulls again. */
  write(batch: T): boolean {
    this.#paused = true;
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting === null) this.#queue.push(batch);
    else waiting.resolve({ done: false, value: batch });
    return false;
  }

  end(last: T | null): void {
    this.#ended = true;
    if (last !== null) this.write(last);
    this.#wake();
  }

  fail(thrown: unknown): void {
    this.#ended = true;
    this.#failure = { thrown };
    this.#wake();
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = null;
    if (waiting === null) return;
    const failure = this.#failure;
    this.#failure = null;
    if (failure === null) waiting.resolve({ done: true, value: undefined });
    else waiting.reject(failure.thrown);
  }

  next(): Promise<IteratorResult<T, undefined>> {
    if (this.#queue.length > 0) return Promise.resolve({ done: false, value: this.#queue.shift() as T });
    if (this.#ended && this.#failure === null) return Promise.resolve({ done: true, value: undefined });
    const waiting = Promise.withResolvers<IteratorResult<T, undefined>>();
    this.#waiting = waiting;
    if (this.#ended) this.#wake();
    else if (!this.#started) {
      this.#started = true;
      this.#source.start(this);
    } else if (this.#paused) {
      this.#paused = false;
      this.#source.resume();
    }
    return waiting.promise;
  }

  async return(): Promise<IteratorResult<T, undefined>> {
    const wasOpen = !this.#ended;
    this.#ended = true;
    this.#failure = null;
    this.#queue.length = 0;
    if (wasOpen) await this.#source.cancel();
    this.#wake();
    return { done: true, value: undefined };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}

/** The batches of `source`, one per pull. A reader that leaves the loop cancels the source. */
export function pullBatches<T>(source: BatchSource<T>): AsyncIterableIterator<T, undefined> {
  return new PulledBatches(source);
}
