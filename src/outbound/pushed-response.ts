/** One response whose bytes are pushed to a receiver, on the turn of the socket's read. */
import type { Dispatcher } from 'undici';
import { connectionError } from './connection-errors.ts';
import { DecodingReceiver, isCompressed } from './decoding-receiver.ts';
import type { Receiver, UpstreamHeaders, UpstreamLink } from './receiver.ts';

/** Bytes accepted after the end that the format knows. Above this the connection is closed instead of reused. */
const leftoverBytes = 65_536;
const leftoverMilliseconds = 500;

const nobody: Receiver = { head() {}, data() {}, end() {}, fail() {} };

/** True while undici parses: it cannot resume one connection from within another one's read. */
let isParsing = false;

export class PushedResponse implements Dispatcher.DispatchHandler, UpstreamLink {
  #receiver: Receiver;
  #controller: Dispatcher.DispatchController | null = null;
  #started = false;
  #aborted = false;
  /** The reader has no room. */
  #paused = false;
  /** The decoder of a compressed response has no room. */
  #isDecoderFull = false;
  #decoder: DecodingReceiver | null = null;
  #leftover = -1;
  #leftoverTimer: NodeJS.Timeout | undefined;

  constructor(receiver: Receiver) {
    this.#receiver = receiver;
  }

  abort(): void {
    this.#aborted = true;
    this.#receiver = nobody;
    this.#decoder?.destroy();
    this.#decoder = null;
    this.#close();
  }

  #close(): void {
    const controller = this.#controller;
    this.#ended();
    controller?.abort(new Error('the reader left'));
  }

  #ended(): void {
    this.#controller = null;
    clearTimeout(this.#leftoverTimer);
  }

  release(): void {
    this.#receiver = nobody;
    this.#decoder = null;
    if (this.#controller === null) return;
    this.#leftover = 0;
    this.#leftoverTimer = setTimeout(() => this.#close(), leftoverMilliseconds).unref();
    this.#isDecoderFull = false;
    this.resume();
  }

  pause(): void {
    this.#paused = true;
    this.#decoder?.pause();
    this.#controller?.pause();
  }

  resume(): void {
    this.#paused = false;
    this.#decoder?.resume();
    if (isParsing) queueMicrotask(() => this.#resumeSocket());
    else this.#resumeSocket();
  }

  #resumeSocket(): void {
    if (!this.#paused && !this.#isDecoderFull) this.#controller?.resume();
  }

  readonly #onDecoderFull = (isFull: boolean): void => {
    this.#isDecoderFull = isFull;
    if (isFull) this.#controller?.pause();
    else this.#resumeSocket();
  };

  onRequestStart(controller: Dispatcher.DispatchController): void {
    if (this.#aborted) controller.abort(new Error('the reader left'));
    else this.#controller = controller;
  }

  onResponseStart(controller: Dispatcher.DispatchController, status: number, headers: UpstreamHeaders): void {
    if (status < 200) return;
    this.#started = true;
    // Two kilobytes for each stream that waits.
    controller.rawHeaders = null;
    const encoding = headers['content-encoding'];
    if (isCompressed(encoding)) {
      this.#decoder = new DecodingReceiver(this.#receiver, encoding, { onFull: this.#onDecoderFull, abort: () => this.abort() });
      this.#receiver = this.#decoder;
    }
    this.#receiver.head(status, headers);
  }

  onResponseData(_controller: Dispatcher.DispatchController, chunk: Buffer): void {
    if (this.#leftover >= 0) {
      this.#leftover += chunk.length;
      if (this.#leftover > leftoverBytes) this.#close();
      return;
    }
    isParsing = true;
    try {
      this.#receiver.data(chunk);
    } finally {
      isParsing = false;
    }
  }

  onResponseEnd(): void {
    this.#ended();
    this.#receiver.end();
  }

  onResponseError(_controller: Dispatcher.DispatchController, error: Error): void {
    this.#ended();
    this.#receiver.fail(connectionError(error, this.#started));
  }
}
