/** Reads the bytes of a body within its reservation. */
import type { Readable } from 'node:stream';
import type { FastifyRequest } from 'fastify';
import { GatewayError } from '../../types/errors.ts';

/** The usual size of a chunk. */
const pieceBytes = 65_536;

export function tooLarge(limit: number): GatewayError {
  return new GatewayError('body_too_large', `The body is larger than ${limit} bytes, the limit of this gateway.`);
}

/** Reads all of `source`. A body that is too large, too slow or without room stays unread. */
export function readBody(
  request: FastifyRequest,
  source: Readable,
  limit: number,
  done: (error: Error | null, bytes?: Buffer) => void,
): void {
  // The header of an encoded body states the length before it is decoded.
  const stated = source === request.raw ? request.headers['content-length'] : undefined;
  const contentLength = stated === undefined ? null : Number(stated);
  const { bodyReservation: reservation, bodySignal: signal } = request;
  /** One allocation for a large body of known length, so that it is in memory once. */
  const whole =
    contentLength !== null && contentLength > pieceBytes && contentLength <= limit ? Buffer.allocUnsafeSlow(contentLength) : null;
  const parts: Buffer[] = [];
  let size = 0;

  const end = (error: Error | null, bytes?: Buffer): void => {
    source.off('data', take).off('end', finish).off('error', leave);
    signal?.removeEventListener('abort', cut);
    if (error !== null) {
      source.pause();
      if (source !== request.raw) source.destroy();
      // A later error of the connection is expected.
      source.on('error', () => {});
    }
    done(error, bytes);
  };
  const take = (part: Buffer): void => {
    size += part.length;
    try {
      if (size > limit) throw tooLarge(limit);
      if (contentLength === null) reservation?.reach(size);
      if (whole === null) parts.push(part);
      else part.copy(whole, size - part.length);
    } catch (thrown) {
      end(thrown as Error);
    }
  };
  const finish = (): void => {
    if (whole !== null) return end(null, size === whole.length ? whole : whole.subarray(0, size));
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
