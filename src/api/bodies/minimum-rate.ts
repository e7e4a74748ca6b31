/** A minimum rate for request bodies: a slow body occupies its share of the budget. */
import type { IncomingMessage } from 'node:http';
import { GatewayError } from '../../types/errors.ts';

export interface MinimumRate {
  /** Calls `cut` once when the body arrives too slowly. Stops when the body is complete or the returned function is called. */
  watch(request: IncomingMessage, cut: (error: GatewayError) => void): () => void;
  close(): void;
}

/** Bytes per second. */
const leastBytes = 4_096;
/** Consecutive slow checks before a cut. A single one may be a pause of the network or of this process. */
const slowTimes = 2;

interface Watched {
  readonly request: IncomingMessage;
  readonly cut: (error: GatewayError) => void;
  /** The bytes read on the connection at the last check. */
  bytes: number;
  slow: number;
}

/** Checks twice within `seconds`. Owns a timer that does not keep the process alive. */
export function createMinimumRate(seconds: number): MinimumRate {
  const watched = new Set<Watched>();
  const least = (leastBytes * seconds) / slowTimes;

  const look = (): void => {
    for (const each of watched) {
      const { complete, destroyed, socket } = each.request;
      if (complete || destroyed) {
        watched.delete(each);
        continue;
      }
      each.slow = socket.bytesRead - each.bytes < least ? each.slow + 1 : 0;
      each.bytes = socket.bytesRead;
      // The first check may come right after the start.
      if (each.slow <= slowTimes) continue;
      watched.delete(each);
      each.cut(
        new GatewayError(
          'request_timeout',
          `The body came too slowly: less than ${least * slowTimes} bytes in ${seconds} seconds. Send it again, over a faster connection or in smaller parts.`,
        ),
      );
    }
  };
  const timer = setInterval(look, (seconds * 1_000) / slowTimes).unref();

  return {
    watch(request, cut) {
      const entry: Watched = { request, cut, bytes: request.socket.bytesRead, slow: 0 };
      watched.add(entry);
      return () => void watched.delete(entry);
    },
    close: () => clearInterval(timer),
  };
}
