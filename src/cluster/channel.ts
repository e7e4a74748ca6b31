/** A channel of messages between two processes: one JSON array a line, written together once in a turn of the event loop. */
import type { Duplex } from 'node:stream';
import { StringDecoder } from 'node:string_decoder';
import type { Message } from './messages.ts';

export interface Channel {
  /** Never throws and never waits. Messages arrive in order, also those that were written before the process was killed. */
  send(message: Message): void;
  /** Resolves when everything sent so far was handed to the operating system. */
  flushed(): Promise<void>;
}

/**
 * `onMessage` must not throw. `onClosed` is called once, after the last message: the other process has ended. After each read, nothing is read
 * for `restMs`: what arrives waits in the system, in which it survives the other process.
 */
export function openChannel(stream: Duplex, onMessage: (message: Message) => void, onClosed: () => void, restMs = 0): Channel {
  const decoder = new StringDecoder('utf8');
  let unread = '';
  let unsent = '';
  let isClosed = false;

  const flush = (): void => {
    const lines = unsent;
    unsent = '';
    if (!isClosed && lines !== '') stream.write(lines);
  };
  const closed = (): void => {
    if (isClosed) return;
    isClosed = true;
    onClosed();
  };
  stream.on('data', (bytes: Buffer) => {
    const text = unread + decoder.write(bytes);
    let start = 0;
    for (let end = text.indexOf('\n'); end !== -1; end = text.indexOf('\n', start)) {
      const message = JSON.parse(text.slice(start, end)) as Message;
      start = end + 1;
      onMessage(message);
    }
    unread = text.slice(start);
    if (restMs === 0) return;
    stream.pause();
    setTimeout(() => stream.resume(), restMs);
  });
  stream.on('end', closed);
  stream.on('close', closed);
  // The end of the other process is reported by `onClosed`.
  stream.on('error', () => {});

  return {
    send(message) {
      if (unsent === '') setImmediate(flush);
      unsent += `${JSON.stringify(message)}\n`;
    },
    flushed() {
      flush();
      if (isClosed || stream.writableLength === 0) return Promise.resolve();
      return new Promise((resolve) => stream.write('', () => resolve()));
    },
  };
}
