/** Writes a streamed response body in chunks (RFC 9112, section 7.1). */
import type { ServerResponse } from 'node:http';

/**
 * The body of one streamed response: each part is one chunk and one write to the connection. Node makes four writes of it, and a tick. Its
 * own way remains for the first part, which carries the head, and for clients without chunks (HTTP/1.0). `onDrain` is called when the
 * client has room again after a `write` that returned false.
 */
export class ChunkedBody {
  readonly #response: ServerResponse;
  readonly #onDrain: () => void;
  #hasBegun = false;
  #isFull = false;

  constructor(response: ServerResponse, onDrain: () => void) {
    this.#response = response;
    this.#onDrain = onDrain;
    response.on('drain', onDrain);
  }

  /** False when the client has no room; the text is queued nevertheless. `text` is not empty: an empty chunk ends the body. */
  write(text: string): boolean {
    const response = this.#response;
    const { socket } = response;
    // Without a connection it waits behind another response. It is corked while an earlier part waits for the end of the tick.
    if (!this.#hasBegun || socket?.writable !== true || response.writableCorked > 0 || !response.chunkedEncoding) {
      this.#hasBegun = true;
      return response.write(text);
    }
    const bytes = Buffer.byteLength(text);
    const hasRoom = socket.write(`${bytes.toString(16)}\r\n${text}\r\n`, bytes === text.length ? 'latin1' : 'utf8');
    if (!hasRoom && !this.#isFull) {
      this.#isFull = true;
      socket.once('drain', () => {
        this.#isFull = false;
        this.#onDrain();
      });
    }
    return hasRoom;
  }

  /** True until the client has room. */
  get isFull(): boolean {
    return this.#isFull || this.#response.writableNeedDrain;
  }
}
