/**
 * Ends a request whose body is not wanted: the answer goes out at once, the rest of the body is not read, and the connection closes. It closes
 * a moment later, or with the client: a connection that is closed on unread bytes is reset, and a reset takes the answer away from its reader.
 */
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { Readable } from 'node:stream';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { hasBody, lengthOf, smallBytes } from './body-admission.ts';

const lingerMs = 1_000;

/** True while more of the body is to come than is worth reading for the sake of the connection. */
export function isBodyPending(request: FastifyRequest): boolean {
  return hasBody(request) && !request.raw.complete && (lengthOf(request) ?? Infinity) > smallBytes;
}

/** Sends `text` as the last words of the connection. */
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
