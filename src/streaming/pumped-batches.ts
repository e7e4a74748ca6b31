/** Pushes the batches of a generator: answers that are made step by step, such as those of the tool loop and of skills. */
import type { BatchSink, BatchSource } from '../types/batch-source.ts';

class PumpedBatches<T> implements BatchSource<T> {
  readonly #batches: AsyncIterable<T>;
  #reader: AsyncIterator<T> | null = null;
  #cancelled = false;
  #wake: (() => void) | null = null;

  constructor(batches: AsyncIterable<T>) {
    this.#batches = batches;
  }

  start(sink: BatchSink<T>): void {
    const reader = this.#batches[Symbol.asyncIterator]();
    this.#reader = reader;
    // Never rejects: `sink` gets the failure.
    this.#pump(reader, sink).catch(() => {});
  }

  async #pump(reader: AsyncIterator<T>, sink: BatchSink<T>): Promise<void> {
    try {
      for (;;) {
        const next = await reader.next();
        if (this.#isCancelled) return;
        if (next.done === true) {
          sink.end(null);
          return;
        }
        if (!sink.write(next.value) && !this.#isCancelled) await new Promise<void>((resolve) => (this.#wake = resolve));
        if (this.#isCancelled) return;
      }
    } catch (thrown) {
      if (!this.#isCancelled) sink.fail(thrown);
    }
  }

  /** A method, because a sink may cancel within `write`. */
  get #isCancelled(): boolean {
    return this.#cancelled;
  }

  resume(): void {
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }

  cancel(): void | Promise<void> {
    if (this.#cancelled) return;
    this.#cancelled = true;
    const left = this.#leave();
    this.resume();
    return left;
  }

  async #leave(): Promise<void> {
    let reader = this.#reader;
    try {
      if (reader === null) {
        reader = this.#batches[Symbol.asyncIterator]();
        // A generator can only be ended after its start.
        await reader.next();
      }
      await reader.return?.();
    } catch {
      // The generator has ended by itself.
    }
  }

  [Symbol.asyncIterator](): AsyncIterator<T> {
    return this.#batches[Symbol.asyncIterator]();
  }
}

function isSource<T>(batches: AsyncIterable<T>): batches is BatchSource<T> {
  return 'start' in batches && 'cancel' in batches;
}

/** The batches as a source: the same object when they are pushed already. */
export function pushBatches<T>(batches: AsyncIterable<T>): BatchSource<T> {
  return isSource(batches) ? batches : new PumpedBatches(batches);
}
