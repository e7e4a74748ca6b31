/** Writes a stream of batches to one client: one write per batch, at the client's pace, and a comment during each silence. */
import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import { pushBatches } from '../../streaming/pumped-batches.ts';
import type { BatchSink, BatchSource, ReaderFailure } from '../../types/batch-source.ts';
import { closeStalledClient } from '../stalled-client.ts';
import { ChunkedBody } from './chunked-body.ts';

export interface StreamEncoder<T> {
  /** The text of one batch; empty when there is nothing to write. */
  write(batch: T): string;
  /** The last text after a failure. */
  fail(thrown: unknown): string;
}

/** A comment of server-sent events, which clients ignore. */
const comment = ': still here\n\n';

/**
 * The stream of one reply, from the start of the call. Proxies and clients close a silent connection after 30 to 60 seconds, so each silence of
 * `pingMs` is broken: before the answer begins by the head of the response and a comment, later by a comment.
 */
export class StreamWriter<T> implements BatchSink<T> {
  readonly #reply: FastifyReply;
  readonly #response: ServerResponse;
  readonly #body: ChunkedBody;
  readonly #ping: string;
  readonly #quiet: NodeJS.Timeout;
  #source: BatchSource<T> | null = null;
  #encoder: StreamEncoder<T> | null = null;
  #isOpen = false;
  #over = false;
  /** True when nothing was written since the timer fired last. */
  #isSilent = false;

  /** `ping`: the text that breaks a silence. */
  constructor(reply: FastifyReply, ping: string = comment) {
    this.#reply = reply;
    this.#response = reply.raw;
    this.#body = new ChunkedBody(reply.raw, () => this.#resume());
    this.#ping = ping;
    this.#quiet = setTimeout(look, reply.server.pingMs / 2, this).unref();
  }

  /** True when the head of the response has been sent, so that a failure can only be an event. */
  get isOpen(): boolean {
    return this.#isOpen;
  }

  /** Takes over the reply and sends the answer. A client that leaves or stalls cancels it, which aborts the upstream. Throws only when the answer cannot begin. */
  start(batches: AsyncIterable<T>, encoder: StreamEncoder<T>): void {
    this.#open();
    this.#encoder = encoder;
    const source = pushBatches(batches);
    this.#source = source;
    this.#response.on('close', () => this.#resume());
    source.start(this);
  }

  /** Ends an open stream whose answer never began. */
  endWith(text: string): void {
    this.#close();
    this.#response.end(this.#response.destroyed ? '' : text);
  }

  #resume(): void {
    if (!this.#over) this.#source?.resume();
  }

  /** The reply is answered in another way. */
  abandon(): void {
    this.#close();
  }

  /** Called after each half of `pingMs`. A silence is broken in its second half, so that a write need not set the timer anew. */
  look(): void {
    if (this.#over) return;
    if (this.#response.destroyed) {
      this.#close();
      return;
    }
    this.#isSilent = !this.#isSilent;
    if (this.#isSilent || this.#breakSilence()) this.#quiet.refresh();
  }

  /** False when the stream could not begin. */
  #breakSilence(): boolean {
    try {
      this.#open();
    } catch (thrown) {
      this.#close();
      this.#reply.log.error({ err: thrown }, 'a stream could not begin');
      return false;
    }
    if (!this.#body.isFull) this.#body.write(this.#ping);
    return true;
  }

  #open(): void {
    if (this.#isOpen) return;
    const { server, request } = this.#reply;
    this.#reply
      .header('content-type', 'text/event-stream; charset=utf-8')
      .header('cache-control', 'no-cache')
      .header('x-accel-buffering', 'no');
    this.#reply.hijack();
    server.activeRequests.watch(request, this.#reply);
    this.#isOpen = true;
    try {
      this.#response.writeHead(200, this.#reply.getHeaders() as Record<string, string | number | string[]>);
    } catch (thrown) {
      this.#close();
      this.#response.destroy();
      throw thrown;
    }
    closeStalledClient(this.#response, server.unreadMs);
  }

  write(batch: T): boolean {
    if (this.#response.destroyed) {
      this.#leave();
      return false;
    }
    const text = this.#encode(batch);
    if (text === null) return false;
    if (text === '') return true;
    this.#isSilent = false;
    return this.#body.write(text);
  }

  end(last: T | null): void {
    const text = last === null ? '' : this.#encode(last);
    if (text === null) return;
    this.#close();
    this.#response.end(text);
  }

  fail(thrown: unknown): void {
    this.#close();
    this.#endWithFailure(thrown);
  }

  #endWithFailure(thrown: unknown): void {
    try {
      this.#response.end(this.#response.destroyed ? '' : this.#encoder?.fail(thrown));
    } catch (again) {
      this.#reply.log.error({ err: again }, 'the failure of a stream could not be written');
      // A cut connection is no clean end.
      this.#response.destroy();
    }
  }

  /** Null when the answer cannot be expressed: the stream ends with that error. */
  #encode(batch: T): string | null {
    try {
      return this.#encoder?.write(batch) ?? '';
    } catch (thrown) {
      this.#leave({ thrown });
      this.#endWithFailure(thrown);
      return null;
    }
  }

  #leave(failure?: ReaderFailure): void {
    this.#close();
    // Never rejects.
    this.#source?.cancel(failure)?.catch(() => {});
  }

  #close(): void {
    this.#over = true;
    clearTimeout(this.#quiet);
  }
}

/** One function for all writers, so that a timer needs no closure. */
function look(writer: { look(): void }): void {
  writer.look();
}

/** Takes over the reply and sends server-sent events. Throws only when the answer cannot begin. */
export function writeStream<T>(reply: FastifyReply, batches: AsyncIterable<T>, encoder: StreamEncoder<T>): void {
  const writer = new StreamWriter<T>(reply);
  try {
    writer.start(batches, encoder);
  } catch (thrown) {
    writer.abandon();
    throw thrown;
  }
}
