/** Writes a stream of batches to one client: one write per batch, at the client's pace. */
import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import { pushBatches } from '../../streaming/pumped-batches.ts';
import type { BatchSink, BatchSource } from '../../types/batch-source.ts';
import { closeStalledClient } from '../stalled-client.ts';

export interface StreamEncoder<T> {
  /** The text of one batch; empty when there is nothing to write. */
  write(batch: T): string;
  /** The last text after a failure. */
  fail(thrown: unknown): string;
}

/** Proxies and clients close a silent connection after about a minute. A tool may take longer. */
const quietMs = 15_000;

class StreamWriter<T> implements BatchSink<T> {
  readonly #response: ServerResponse;
  readonly #source: BatchSource<T>;
  readonly #encoder: StreamEncoder<T>;
  readonly #quiet: NodeJS.Timeout;
  #over = false;

  constructor(response: ServerResponse, source: BatchSource<T>, encoder: StreamEncoder<T>) {
    this.#response = response;
    this.#source = source;
    this.#encoder = encoder;
    // Writes a comment, which clients ignore, after each quiet period.
    this.#quiet = setTimeout(() => {
      if (!response.destroyed && !response.writableNeedDrain) response.write(': still here\n\n');
      this.#quiet.refresh();
    }, quietMs).unref();
    const resume = (): void => {
      if (!this.#over) source.resume();
    };
    response.on('drain', resume).on('close', resume);
  }

  write(batch: T): boolean {
    if (this.#response.destroyed) {
      this.#leave();
      return false;
    }
    const text = this.#encode(batch);
    if (text === null) return false;
    this.#quiet.refresh();
    return text === '' || this.#response.write(text);
  }

  end(last: T | null): void {
    const text = last === null ? '' : this.#encode(last);
    if (text === null) return;
    this.#close();
    this.#response.end(text);
  }

  fail(thrown: unknown): void {
    this.#close();
    this.#response.end(this.#response.destroyed ? '' : this.#encoder.fail(thrown));
  }

  /** Null when the answer cannot be expressed: the stream ends with that error. */
  #encode(batch: T): string | null {
    try {
      return this.#encoder.write(batch);
    } catch (thrown) {
      this.#leave();
      this.#response.end(this.#response.destroyed ? '' : this.#encoder.fail(thrown));
      return null;
    }
  }

  #leave(): void {
    this.#close();
    // Never rejects.
    this.#source.cancel()?.catch(() => {});
  }

  #close(): void {
    this.#over = true;
    clearTimeout(this.#quiet);
  }
}

/**
 * Takes over the reply and sends server-sent events. A failure becomes the encoder's last text. A client that leaves or stalls cancels
 * the answer, which aborts the upstream. Throws only when the answer cannot begin.
 */
export function writeStream<T>(reply: FastifyReply, batches: AsyncIterable<T>, encoder: StreamEncoder<T>): void {
  reply.header('content-type', 'text/event-stream; charset=utf-8').header('cache-control', 'no-cache').header('x-accel-buffering', 'no');
  reply.hijack();
  reply.server.activeRequests.watch(reply.request, reply);
  const response = reply.raw;
  try {
    response.writeHead(200, reply.getHeaders() as Record<string, string | number | string[]>);
  } catch (thrown) {
    response.destroy();
    throw thrown;
  }
  closeStalledClient(response, reply.server.unreadMs);
  const source = pushBatches(batches);
  source.start(new StreamWriter(response, source, encoder));
}
