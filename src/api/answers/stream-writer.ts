/** Writes a stream of batches to one client: one write per batch, at the client's pace. */
import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';
import { closeStalledClient } from '../stalled-client.ts';

export interface StreamEncoder<T> {
  /** The text of one batch; empty when there is nothing to write. */
  write(batch: T): string;
  /** The last text after a failure. */
  fail(thrown: unknown): string;
}

/** Proxies and clients close a silent connection after about a minute. A tool may take longer. */
const quietMs = 15_000;

/** Writes a comment, which clients ignore, after each quiet period. */
function keepAlive(response: ServerResponse): { said(): void; end(): void } {
  const timer: NodeJS.Timeout = setTimeout(() => {
    if (!response.destroyed && !response.writableNeedDrain) response.write(': still here\n\n');
    timer.refresh();
  }, quietMs).unref();
  return { said: () => void timer.refresh(), end: () => clearTimeout(timer) };
}

function drained(response: ServerResponse): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      response.off('drain', done);
      response.off('close', done);
      resolve();
    };
    response.once('drain', done);
    response.once('close', done);
  });
}

/**
 * Takes over the reply and sends server-sent events. A failure becomes the encoder's last text. A client that leaves or stalls ends the
 * iteration, which aborts the upstream. Rejects only when the answer cannot begin.
 */
export async function writeStream<T>(reply: FastifyReply, batches: AsyncIterable<T>, encoder: StreamEncoder<T>): Promise<void> {
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
  const quiet = keepAlive(response);
  try {
    for await (const batch of batches) {
      if (response.destroyed) return;
      quiet.said();
      const text = encoder.write(batch);
      if (text !== '' && !response.write(text)) await drained(response);
    }
  } catch (thrown) {
    if (!response.destroyed) response.write(encoder.fail(thrown));
  } finally {
    quiet.end();
  }
  response.end();
}
