/** Reads the bytes of a body within its reservation. */
import type { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import { GatewayError } from '../../types/errors.ts';

/** The usual size of a chunk. */
const pieceBytes = 65_536;

/** The free memory before a large body, in which the members of a changed body are written. */
const roomBytes = 1_024;

export function tooLarge(limit: number): GatewayError {
  return new GatewayError('body_too_large', `The body is larger than ${limit} bytes, the limit of this gateway.`);
}

/** Frees the memory of a part that was copied. Collection comes so late that the parts of large bodies would be collected with the whole heap. */
function free({ buffer, length }: Buffer): void {
  // A part that shares its memory with others keeps it.
  if (buffer instanceof ArrayBuffer && buffer.byteLength === length) buffer.transfer(0);
}

/** Reads all of `source`. A body that is too large, too slow or without room stays unread. `room`: the free bytes before `bytes` in memory that is its own. */
export function readBody(
  request: FastifyRequest,
  source: Readable,
  limit: number,
  done: (error: Error | null, bytes?: Buffer, room?: number) => void,
): void {
  // The header of an encoded body states the length before it is decoded.
  const stated = source === request.raw ? request.headers['content-length'] : undefined;
  const contentLength = stated === undefined ? null : Number(stated);
  const { bodyReservation: reservation, bodySignal: signal } = request;
  /** One allocation for a large body of known length, so that it is in memory once. */
  const whole =
    contentLength !== null && contentLength > pieceBytes && contentLength <= limit
      ? Buffer.allocUnsafeSlow(roomBytes + contentLength)
      : null;
  const parts: Buffer[] = [];
  let size = 0;

  const end = (error: Error | null, bytes?: Buffer, room?: number): void => {
    source.off('data', take).off('end', finish).off('error', leave);
    signal?.removeEventListener('abort', cut);
    if (error !== null) {
      source.pause();
      if (source !== request.raw) source.destroy();
      // A later error of the connection is expected.
      source.on('error', () => {});
    }
    done(error, bytes, room);
  };
  const take = (part: Buffer): void => {
    size += part.length;
    try {
      if (size > limit) throw tooLarge(limit);
      if (contentLength === null) reservation?.reach(size);
      if (whole === null) parts.push(part);
      else {
        part.copy(whole, roomBytes + size - part.length);
        free(part);
      }
    } catch (thrown) {
      end(thrown as Error);
    }
  };
  const finish = (): void => {
    if (whole !== null) return end(null, whole.subarray(roomBytes, roomBytes + size), roomBytes);
    const [only] = parts;
    end(null, parts.length === 1 && only !== undefined ? only : Buffer.concat(parts, size));
  };
  const cut = (): void => end(signal?.reason as Error);
  const leave = (cause: Error): void =>
    end(
      cause instanceof GatewayError
        ? cause
        : new GatewayError('client_closed_request', 'The caller left before the body was complete.', { cause }),
    );
  source.on('data', take).on('end', finish).on('error', leave);
  signal?.addEventListener('abort', cut, { once: true });
}
