/** The channel between two processes, over a socket of the system. */
import { once } from 'node:events';
import { connect, createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomUUID } from 'node:crypto';
import { afterEach, expect, test, vi } from 'vitest';
import { openChannel } from '../../src/cluster/channel.ts';
import type { Message } from '../../src/cluster/messages.ts';

const owned = new AsyncDisposableStack();
afterEach(async () => {
  vi.useRealTimers();
  await owned.disposeAsync();
});

/** Two ends of a socket; the first reads no more than it hands out. */
async function pair(): Promise<readonly [Socket, Socket]> {
  const server = createServer({ highWaterMark: 1 }).listen(join(tmpdir(), `pailou-channel-${randomUUID()}.sock`));
  await once(server, 'listening');
  const accepted = once(server, 'connection');
  const writer = connect(server.address() as string);
  const [reader] = (await accepted) as [Socket];
  server.close();
  owned.defer(() => [reader, writer].forEach((end) => end.destroy()));
  return [reader, writer];
}

const line = (revision: number): string => `${JSON.stringify(['serves', revision])}\n`;

test('what arrives during a rest is read together after it, also what an ended process wrote', async () => {
  const [reader, writer] = await pair();
  const messages: Message[] = [];
  const first = Promise.withResolvers<void>();
  const closed = Promise.withResolvers<void>();
  vi.useFakeTimers({ toFake: ['setTimeout'] });
  const receive = (message: Message): void => {
    messages.push(message);
    first.resolve();
  };
  openChannel(reader, receive, closed.resolve, 10);
  writer.write(line(0));
  await first.promise;
  let parts = 0;
  reader.on('data', () => parts++);
  for (let revision = 1; revision < 100; revision++) {
    writer.write(line(revision));
    // In each turn of the event loop, sockets are read.
    await new Promise(setImmediate);
  }
  writer.end();
  await once(writer, 'finish');
  expect(messages).toEqual([['serves', 0]]);
  expect(reader.bytesRead).toBeLessThan(3 * line(10).length);

  const rests = setInterval(() => vi.advanceTimersByTime(10), 1);
  await closed.promise;
  clearInterval(rests);
  expect(messages).toEqual(Array.from({ length: 100 }, (_, revision) => ['serves', revision]));
  expect(parts).toBeLessThan(5);
});
