/** Answers a request without reading the rest of its body, then closes the connection. The close is delayed: closing with unread bytes resets the connection, and a reset can destroy the response. */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { hasBody, lengthOf, smallBytes } from './body-admission.ts';

/** The time in which a client reads the response, in milliseconds. */
export const lingerMs = 1_000;

/** True while more of the body is to come than is worth reading to keep the connection. */
export function isBodyPending(request: FastifyRequest): boolean {
  return hasBody(request) && !request.raw.complete && (lengthOf(request) ?? Infinity) > smallBytes;
}

/** Sends `text` as the last response of the connection. */
export function sendAndClose(reply: FastifyReply, text: string): void {
  const { raw } = reply;
  async function* answer(): AsyncGenerator<string> {
    yield text;
    const patience = new AbortController();
    await Promise.race([once(raw, 'close', { signal: patience.signal }), sleep(lingerMs, null, { ref: false })]).finally(() =>
      patience.abort(),
    );
  }
  void reply
    .header('connection', 'close')
    .header('content-length', Buffer.byteLength(text))
    .send(Readable.from(answer(), { objectMode: false }));
}
