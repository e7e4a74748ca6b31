/** HTTP/1.1 written by hand on a raw socket, so that each of its rules can be broken. */
import type { Socket } from 'node:net';

export interface WireRequest {
  readonly path: string;
  readonly body: { readonly model?: string; readonly stream?: boolean };
}

/** The vendor's side of one call. Writes after the socket has closed are ignored. */
export class Wire {
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
  }

  get gone(): boolean {
    return this.#socket.destroyed;
  }

  /** Writes raw bytes. */
  raw(text: string | Buffer): void {
    if (!this.#socket.destroyed) this.#socket.write(text);
  }

  head(status: number, headers: Readonly<Record<string, string>>): void {
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
    this.raw(`HTTP/1.1 ${status} Fault\r\n${lines.join('')}\r\n`);
  }

  /** Sends a whole answer with Content-Length. */
  whole(status: number, body: string, headers: Readonly<Record<string, string>> = {}): void {
    this.head(status, { 'content-type': 'application/json', 'content-length': String(Buffer.byteLength(body)), ...headers });
    this.raw(body);
  }

  startStream(): void {
    this.head(200, { 'content-type': 'text/event-stream', 'transfer-encoding': 'chunked' });
  }

  /** Sends one chunk of a chunked body. */
  chunk(text: string): void {
    this.raw(`${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`);
  }

  /** Resolves when the peer has read what was written, or the connection has closed. */
  async drained(): Promise<void> {
    if (!this.#socket.writableNeedDrain) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        this.#socket.off('drain', done).off('close', done);
        resolve();
      };
      this.#socket.on('drain', done).on('close', done);
    });
  }

  endStream(): void {
    this.raw('0\r\n\r\n');
  }

  /** Resets the connection, as a machine that fails does. */
  reset(): void {
    this.#socket.resetAndDestroy();
  }

  /** Closes the connection without an error, as a process that exits does. */
  close(): void {
    this.#socket.end();
  }
}

const headEnd = Buffer.from('\r\n\r\n');

/** Reads consecutive requests from a keep-alive connection. Requests must have a Content-Length. */
export function readRequests(socket: Socket, take: (request: WireRequest) => void): void {
  let waiting = Buffer.alloc(0);
  socket.on('data', (bytes: Buffer) => {
    waiting = Buffer.concat([waiting, bytes]);
    for (;;) {
      const end = waiting.indexOf(headEnd);
      if (end < 0) return;
      const head = waiting.subarray(0, end).toString('latin1');
      const length = Number(/^content-length: *(\d+)/im.exec(head)?.[1] ?? 0);
      if (waiting.length < end + 4 + length) return;
      const body = waiting.subarray(end + 4, end + 4 + length).toString('utf8');
      waiting = waiting.subarray(end + 4 + length);
      take({ path: head.split(' ')[1] ?? '', body: parse(body) });
    }
  });
}

function parse(text: string): WireRequest['body'] {
  try {
    return JSON.parse(text) as WireRequest['body'];
  } catch {
    return {};
  }
}
