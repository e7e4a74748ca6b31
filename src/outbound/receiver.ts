/** The contract of a pushed response: bytes reach the receiver on the turn of the socket's read. */
import type { GatewayError } from '../types/errors.ts';

/** Names in lower case. */
export type UpstreamHeaders = Readonly<Record<string, string | string[] | undefined>>;

/** Receives one response. After `end` or `fail` nothing follows. No method throws. */
export interface Receiver {
  head(status: number, headers: UpstreamHeaders): void;
  data(bytes: Buffer): void;
  end(): void;
  fail(error: GatewayError): void;
}

/** The sender's side of a pushed response. */
export interface UpstreamLink {
  /** Closes the connection. The receiver hears nothing more. */
  abort(): void;
  /** The receiver has all it needs: a short remainder is discarded, so that the connection can be reused. The receiver hears nothing more. */
  release(): void;
  pause(): void;
  resume(): void;
}
