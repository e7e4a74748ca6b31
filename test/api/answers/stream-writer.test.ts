/** Keep-alive comments of a stream during a long silence. */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { FastifyReply } from 'fastify';
import { afterEach, expect, it, vi } from 'vitest';
import { writeStream } from '../../../src/api/answers/stream-writer.ts';

afterEach(() => vi.useRealTimers());

function replyTo(raw: ServerResponse): FastifyReply {
  const reply = {
    raw,
    request: {},
    server: { unreadMs: 60_000, pingMs: 10_000, activeRequests: { watch() {} } },
    header: () => reply,
    hijack() {},
    getHeaders: () => ({ 'content-type': 'text/event-stream' }),
  };
  return reply as unknown as FastifyReply;
}

/** Calls the server; each call of the result reads what comes next, undefined at the end. */
async function readerOf(server: Server): Promise<() => Promise<string | undefined>> {
  await new Promise((resolve) => server.once('listening', resolve));
  const response = await fetch(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);
  const reader = (response.body as ReadableStream<Uint8Array>).getReader();
  return async () => {
    const { value } = await reader.read();
    return value === undefined ? undefined : Buffer.from(value).toString();
  };
}

it('sends keep-alive comments, which clients ignore, while it is open and no longer', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  let go = (): void => {};
  const gate = new Promise<void>((resolve) => (go = resolve));
  async function* words(): AsyncGenerator<string> {
    yield 'one';
    await gate;
    yield 'two';
  }
  const finished = Promise.withResolvers<void>();
  const encoder = { write: (word: string) => `data: ${word}\n\n`, fail: () => '' };
  await using server = createServer((_request, response) => {
    response.on('finish', finished.resolve);
    writeStream(replyTo(response), words(), encoder);
  }).listen(0, '127.0.0.1');
  const next = await readerOf(server);
  expect(await next()).toBe('data: one\n\n');
  for (let round = 0; round < 3; round++) {
    vi.advanceTimersByTime(10_001);
    expect(await next()).toBe(': still here\n\n');
  }
  const timers = vi.getTimerCount();
  go();
  expect(await next()).toBe('data: two\n\n');
  expect(await next()).toBeUndefined();
  await finished.promise;
  expect(vi.getTimerCount()).toBe(timers - 1);
});

it('sends no comment while the answer goes on, and one within the interval after its last word', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  let say = (_word: string | null): void => {};
  const nextWord = (): Promise<string | null> => new Promise((resolve) => (say = resolve));
  async function* words(): AsyncGenerator<string> {
    for (;;) {
      const word = await nextWord();
      if (word === null) return;
      yield word;
    }
  }
  await using server = createServer((_request, response) => {
    writeStream(replyTo(response), words(), { write: (word: string) => `data: ${word}\n\n`, fail: () => '' });
    response.flushHeaders();
  }).listen(0, '127.0.0.1');
  const next = await readerOf(server);
  for (let word = 0; word < 8; word++) {
    say(String(word));
    // Whatever is written comes in its order, so that a comment would be read here.
    expect(await next()).toBe(`data: ${word}\n\n`);
    vi.advanceTimersByTime(4_000);
  }
  say('last');
  expect(await next()).toBe('data: last\n\n');
  vi.advanceTimersByTime(10_001);
  expect(await next()).toBe(': still here\n\n');
  say(null);
  expect(await next()).toBeUndefined();
});

it('cuts the connection when neither an event nor its failure can be written', async () => {
  async function* words(): AsyncGenerator<string> {
    yield 'one';
    yield 'two';
  }
  const errors: unknown[] = [];
  const encoder = {
    write: (word: string) => {
      if (word === 'two') throw new Error('this word cannot be written');
      return `data: ${word}\n\n`;
    },
    fail: () => {
      throw new Error('nor can this');
    },
  };
  await using server = createServer((_request, response) => {
    const reply = Object.assign(replyTo(response), { log: { error: (fields: unknown) => errors.push(fields) } });
    writeStream(reply, words(), encoder);
  }).listen(0, '127.0.0.1');
  await new Promise((resolve) => server.once('listening', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  // The connection may be cut before the head of the response is read.
  await expect(fetch(url).then((response) => response.text())).rejects.toThrow();
  expect(errors).toMatchObject([{ err: new Error('nor can this') }]);
});
