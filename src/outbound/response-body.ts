/** The bytes of one response, pulled by the reader, one item per socket read, with backpressure. */
import type { Dispatcher } from 'undici';

/** Unread bytes above which the socket is paused. */
const highWaterMark = 65_536;

/** Bytes accepted after the end that the format knows. Above this the connection is closed instead of reused. */
const leftoverBytes = 65_536;
const leftoverMilliseconds = 500;

export class ResponseBody implements AsyncIterableIterator<Buffer> {
  readonly #controller: Dispatcher.DispatchController;
  #chunks: Buffer[] = [];
  #size = 0;
  #paused = false;
  #ended = false;
  #failure: Error | null = null;
  #wake: (() => void) | null = null;
  #leftover = -1;

  constructor(controller: Dispatcher.DispatchController) {
    this.#controller = controller;
  }

  /** Adds received bytes. One socket read may add several times; the reader wakes once, after all of them. */
  add(chunk: Buffer): void {
    if (this.#leftover >= 0) {
      this.#leftover += chunk.length;
      if (this.#leftover > leftoverBytes) this.#abort();
      return;
    }
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    if (this.#wake !== null) this.#rouse();
    else if (this.#size > highWaterMark && !this.#paused) {
      this.#paused = true;
      this.#controller.pause();
    }
  }

  end(): void {
    this.#ended = true;
    this.#rouse();
  }

  fail(error: Error): void {
    this.#failure = error;
    this.#ended = true;
    this.#rouse();
  }

  #rouse(): void {
    const wake = this.#wake;
    this.#wake = null;
    wake?.();
  }

  #abort(): void {
    if (!this.#ended) this.#controller.abort(new Error('the reader left'));
  }

  #take(): Buffer {
    const chunks = this.#chunks;
    this.#chunks = [];
    const size = this.#size;
    this.#size = 0;
    if (this.#paused) {
      this.#paused = false;
      this.#controller.resume();
    }
    return chunks.length === 1 ? (chunks[0] as Buffer) : Buffer.concat(chunks, size);
  }

  async next(): Promise<IteratorResult<Buffer, undefined>> {
    if (this.#size === 0 && !this.#ended) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#size > 0) return { done: false, value: this.#take() };
    if (this.#failure !== null) throw this.#failure;
    return { done: true, value: undefined };
  }

  /** The reader leaves: closes the connection unless the response is complete. */
  return(): Promise<IteratorResult<Buffer, undefined>> {
    if (this.#leftover < 0) this.#abort();
    return Promise.resolve({ done: true, value: undefined });
  }

  /** The reader has all it needs: a short remainder is discarded so that the connection can be reused. */
  release(): void {
    if (this.#ended) return;
    this.#leftover = this.#size;
    if (this.#size > 0) this.#take();
    setTimeout(() => this.#abort(), leftoverMilliseconds).unref();
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
