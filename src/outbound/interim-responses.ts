/** Drops interim responses (1xx). A client must accept them unrequested (RFC 9110 15.2), and undici ends the connection at `100 Continue`. */
import type { Socket } from 'node:net';
import type { buildConnector } from 'undici';

const start = Buffer.from('HTTP/1.1 1');
/** The start with the other digits of the status. */
const decided = start.length + 2;
/** The protocol changes, so nothing that follows is HTTP. */
const switching = Buffer.from('01');
const headEnd = Buffer.from('\r\n\r\n');
/** A longer head reaches undici, which refuses it. */
const longestHead = 16_384;

/** Connects as `connect` does. Connections carry one request at a time, so what comes first after a write is the head of a response. */
export function withoutInterim(connect: buildConnector.connector): buildConnector.connector {
  return (options, callback) =>
    connect(options, (...[error, socket]) => {
      if (error !== null) {
        callback(error, null);
        return;
      }
      dropInterim(socket);
      callback(null, socket);
    });
}

function dropInterim(socket: Socket): void {
  const read = socket.read.bind(socket) as (size?: number) => Buffer | null;
  const write = socket.write.bind(socket);
  let expectsHead = false;
  /** The beginning of a head that is not decided yet. */
  let held: Buffer | null = null;

  /** The bytes after interim responses; null while more are needed. */
  const afterInterim = (bytes: Buffer): Buffer | null => {
    let rest = held === null ? bytes : Buffer.concat([held, bytes]);
    held = null;
    for (;;) {
      if (rest.length === 0) return null;
      const compared = Math.min(rest.length, start.length);
      if (start.compare(rest, 0, compared, 0, compared) !== 0) break;
      if (rest.length >= decided && rest.compare(switching, 0, switching.length, start.length, decided) === 0) break;
      const end = rest.indexOf(headEnd);
      if (end === -1 && rest.length <= longestHead) {
        held = rest;
        return null;
      }
      if (end === -1) break;
      rest = rest.subarray(end + headEnd.length);
    }
    expectsHead = false;
    return rest;
  };

  socket.write = ((chunk: string | Uint8Array, encoding?: BufferEncoding, done?: () => void): boolean => {
    expectsHead = true;
    return write(chunk, encoding, done);
  }) as typeof socket.write;
  socket.read = (size?: number): Buffer | null => {
    const bytes = read(size);
    return bytes === null || !expectsHead ? bytes : afterInterim(bytes);
  };
}
