/** Decodes a pushed response that a vendor compressed without being asked to: a compressed error page must not hide the error. */
import type { Transform } from 'node:stream';
import type { GatewayError } from '../types/errors.ts';
import { createBodyDecoder, unreadableBody } from './decoded-body.ts';
import type { Receiver, UpstreamHeaders } from './receiver.ts';

type Encoding = string | string[] | undefined;

function nameOf(encoding: Encoding): string {
  return String(encoding ?? '')
    .trim()
    .toLowerCase();
}

export function isCompressed(encoding: Encoding): boolean {
  if (encoding === undefined) return false;
  const name = nameOf(encoding);
  return name !== '' && name !== 'identity';
}

interface Connection {
  onFull(isFull: boolean): void;
  abort(): void;
}

/** Passes the decompressed bytes on. The reader limits their size, as for every body. */
export class DecodingReceiver implements Receiver {
  readonly #receiver: Receiver;
  readonly #encoding: string;
  readonly #connection: Connection;
  readonly #decoder: Transform | undefined;
  #over = false;

  constructor(receiver: Receiver, encoding: Encoding, connection: Connection) {
    this.#receiver = receiver;
    this.#encoding = nameOf(encoding);
    this.#connection = connection;
    this.#decoder = createBodyDecoder(this.#encoding)
      ?.on('data', (part: Buffer) => this.#receiver.data(part))
      .on('drain', () => connection.onFull(false))
      .on('end', () => this.#end())
      .on('error', (cause) => this.#unreadable(cause));
  }

  #end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#receiver.end();
  }

  #unreadable(cause?: unknown): void {
    if (this.#over) return;
    this.#connection.abort();
    this.#receiver.fail(unreadableBody(this.#encoding, cause));
  }

  head(status: number, headers: UpstreamHeaders): void {
    this.#receiver.head(status, headers);
    if (this.#decoder === undefined) this.#unreadable();
  }

  data(bytes: Buffer): void {
    if (this.#decoder?.write(bytes) === false) this.#connection.onFull(true);
  }

  end(): void {
    this.#decoder?.end();
  }

  fail(error: GatewayError): void {
    if (this.#over) return;
    this.destroy();
    this.#receiver.fail(error);
  }

  pause(): void {
    this.#decoder?.pause();
  }

  resume(): void {
    this.#decoder?.resume();
  }

  destroy(): void {
    this.#over = true;
    this.#decoder?.destroy();
  }
}
