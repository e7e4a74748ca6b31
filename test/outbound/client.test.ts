import { text as readText } from 'node:stream/consumers';
import { brotliCompressSync, deflateSync, gzipSync, zstdCompressSync } from 'node:zlib';
import { once } from 'node:events';
import { createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, describe, expect, test } from 'vitest';
import { createOutboundClient, type OutboundClient } from '../../src/outbound/client.ts';
import { createOutboundGuard } from '../../src/outbound/guard.ts';
import { GatewayError } from '../../src/types/errors.ts';

const cleanups: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

/** A server on raw sockets: `answer` gets each socket with its request. */
async function serve(answer: (socket: Socket, request: string) => unknown): Promise<{ url: string; server: Server; sockets: Socket[] }> {
  const sockets: Socket[] = [];
  const server = createServer((socket) => {
    sockets.push(socket);
    socket.on('error', () => {});
    socket.on('data', (bytes) => void answer(socket, bytes.toString()));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`, server, sockets };
}

function makeClient(allow = ['127.0.0.0/8']): OutboundClient {
  const client = createOutboundClient(createOutboundGuard({ allow }));
  cleanups.push(() => client.close());
  return client;
}

function send(client: OutboundClient, url: string, signal?: AbortSignal) {
  return client.send({ method: 'POST', url, headers: { 'x-test': '1' }, body: '{"a":"你"}', signal });
}

async function read(body: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of body) parts.push(part);
  return Buffer.concat(parts).toString();
}

const head = 'HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n';
const chunk = (text: string): string => `${Buffer.byteLength(text).toString(16)}\r\n${text}\r\n`;

describe('the outbound client', () => {
  test('sends the whole request, requests no compression and keeps the connection', async () => {
    const seen: string[] = [];
    const { url, sockets } = await serve((socket, request) => {
      seen.push(request);
      socket.write('HTTP/1.1 200 OK\r\nX-Thing: a\r\ncontent-length: 2\r\n\r\nok');
    });
    const client = makeClient();
    for (let call = 0; call < 5; call++) {
      const response = await send(client, url);
      expect(response).toMatchObject({ status: 200, headers: { 'x-thing': 'a' } });
      expect(await read(response.body)).toBe('ok');
    }
    // undici releases a connection one tick after the end, so the second call may open another.
    expect(sockets.length).toBeLessThan(3);
    expect(seen[0]).toMatch(/^POST \/v1 HTTP\/1\.1\r\n/);
    expect(seen[0]).toContain('accept-encoding: identity');
    expect(seen[0]).toContain('{"a":"你"}');
  });

  test('yields one item per read', async () => {
    const { url } = await serve((socket) => socket.write(`${head}${chunk('one ')}${chunk('two ')}${chunk('three')}0\r\n\r\n`));
    const items: string[] = [];
    for await (const item of (await send(makeClient(), url)).body) items.push(item.toString());
    expect(items).toEqual(['one two three']);
  });

  test('a reset before the head is a retryable upstream_unavailable', async () => {
    const { url } = await serve((socket) => socket.resetAndDestroy());
    await expect(send(makeClient(), url)).rejects.toMatchObject({ code: 'upstream_unavailable', retryable: true });
  });

  test('a closed port and an unknown name are upstream_unavailable', async () => {
    const { url, server } = await serve(() => {});
    server.close();
    await once(server, 'close');
    await expect(send(makeClient(), url)).rejects.toMatchObject({ code: 'upstream_unavailable', details: { code: 'ECONNREFUSED' } });
    await expect(send(makeClient(), 'http://nowhere.invalid/')).rejects.toMatchObject({ code: 'upstream_unavailable' });
  });

  test.each(['reset', 'end'])(
    '%s in the middle of the body: the received part is delivered, then the stream is interrupted',
    async (way) => {
      const half = Promise.withResolvers<void>();
      const { url } = await serve(async (socket) => {
        socket.write(`${head}${chunk('half')}`);
        await half.promise;
        if (way === 'reset') socket.resetAndDestroy();
        else socket.end();
      });
      const { body } = await send(makeClient(), url);
      const items: string[] = [];
      const reading = (async () => {
        for await (const item of body) {
          items.push(item.toString());
          half.resolve();
        }
      })();
      await expect(reading).rejects.toMatchObject({ code: 'upstream_interrupted' });
      expect(items).toEqual(['half']);
    },
  );

  test('bytes that are not HTTP are an invalid answer', async () => {
    const { url } = await serve((socket) => socket.write('SSH-2.0-OpenSSH_9\r\n\r\n'));
    await expect(send(makeClient(), url)).rejects.toMatchObject({ code: 'upstream_invalid_response' });
  });

  test('a missing head is a timeout', async () => {
    const { url } = await serve(() => {});
    const sending = makeClient().send({ method: 'POST', url, headers: {}, body: '{}', headersTimeoutMs: 100 });
    await expect(sending).rejects.toMatchObject({ code: 'upstream_timeout' });
  });

  test('an abort before the head ends the call at once, for the reason given, and drops the socket', async () => {
    const arrived = Promise.withResolvers<void>();
    const { url, sockets } = await serve(() => arrived.resolve());
    const abort = new AbortController();
    const sending = send(makeClient(), url, abort.signal);
    await arrived.promise;
    abort.abort(new GatewayError('upstream_timeout', 'too late'));
    await expect(sending).rejects.toMatchObject({ code: 'upstream_timeout', message: 'too late' });
    await expect.poll(() => sockets[0]?.destroyed || sockets[0]?.readableEnded).toBe(true);
  });

  test('an abort while the body stalls reaches the reader and the vendor', async () => {
    const { url, sockets } = await serve((socket) => socket.write(`${head}${chunk('a')}`));
    const abort = new AbortController();
    const { body } = await send(makeClient(), url, abort.signal);
    const reading = read(body);
    setTimeout(() => abort.abort(), 50);
    await expect(reading).rejects.toMatchObject({ code: 'client_closed_request' });
    await expect.poll(() => sockets[0]?.destroyed || sockets[0]?.readableEnded).toBe(true);
  });

  test('an aborted signal sends nothing', async () => {
    const { url, sockets } = await serve(() => {});
    await expect(send(makeClient(), url, AbortSignal.abort())).rejects.toMatchObject({ code: 'client_closed_request' });
    expect(sockets).toHaveLength(0);
  });

  test('leaving the loop closes the connection', async () => {
    const { url, sockets } = await serve((socket) => socket.write(`${head}${chunk('a')}`));
    for await (const _item of (await send(makeClient(), url)).body) break;
    await expect.poll(() => sockets[0]?.destroyed || sockets[0]?.readableEnded).toBe(true);
  });

  test('release keeps the connection of a body that ends soon, and closes it otherwise', async () => {
    let slow = false;
    const { url, sockets } = await serve((socket) => {
      socket.write(`${head}${chunk('a')}`);
      if (!slow) setTimeout(() => socket.write(`${chunk('rest')}0\r\n\r\n`), 30);
    });
    const client = makeClient();
    const start = async (): Promise<void> => {
      const response = await send(client, url);
      for await (const _item of response.body) {
        response.release();
        break;
      }
    };
    await start();
    await wait(100);
    slow = true;
    await start();
    expect(sockets).toHaveLength(1);
    await expect.poll(() => sockets[0]?.destroyed || sockets[0]?.readableEnded).toBe(true);
  });

  test('a reader that does not read causes backpressure at the vendor', async () => {
    let written = 0;
    let blocked = false;
    const { url } = await serve((socket) => {
      socket.write('HTTP/1.1 200 OK\r\ncontent-type: application/octet-stream\r\n\r\n');
      const part = Buffer.alloc(65_536, 'x');
      const more = (): void => {
        while (written < 64 * 1024 * 1024) {
          written += part.length;
          if (!socket.write(part)) {
            blocked = true;
            socket.once('drain', more);
            return;
          }
        }
        socket.end();
      };
      more();
    });
    const { body } = await send(makeClient(), url);
    await wait(300);
    const held = written;
    await wait(200);
    expect(blocked).toBe(true);
    expect(written).toBe(held);
    expect(held).toBeLessThan(32 * 1024 * 1024);
    let size = 0;
    for await (const part of body) size += part.length;
    expect(size).toBe(64 * 1024 * 1024);
  });

  test.each([
    ['gzip', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
    ['zstd', zstdCompressSync],
  ])('reads an answer compressed with %s without a request for compression', async (encoding, compress) => {
    const packed = compress('{"error":{"message":"no such key"}}');
    const { url } = await serve((socket) => {
      socket.write(`HTTP/1.1 401 Unauthorized\r\ncontent-encoding: ${encoding}\r\ncontent-length: ${packed.length}\r\n\r\n`);
      socket.write(packed);
    });
    const { status, body } = await send(makeClient(), url);
    expect(status).toBe(401);
    expect(await readText(body)).toBe('{"error":{"message":"no such key"}}');
  });

  test.each(['gzip', 'zip'])('reports a body that is not %s as declared', async (encoding) => {
    const { url } = await serve((socket) =>
      socket.write(`HTTP/1.1 200 OK\r\ncontent-encoding: ${encoding}\r\ncontent-length: 2\r\n\r\nok`),
    );
    const { body } = await send(makeClient(), url);
    await expect(readText(body)).rejects.toMatchObject({ code: 'upstream_invalid_response', details: { encoding } });
  });

  test('follows no redirect', async () => {
    const { url } = await serve((socket, request) => {
      const moved = request.includes('/v1 ');
      socket.write(`HTTP/1.1 ${moved ? '302 Found\r\nlocation: /other' : '200 OK'}\r\ncontent-length: 0\r\n\r\n`);
    });
    const client = makeClient();
    expect((await send(client, url)).status).toBe(302);
    await expect(client.fetch(url)).rejects.toThrow('fetch failed');
    expect((await client.fetch(`${url}/other`)).status).toBe(200);
  });

  test.each(['127.0.0.1', 'localhost', '[::ffff:127.0.0.1]'])(
    'does not connect to %s where that is not allowed, by send or fetch',
    async (host) => {
      const { url, sockets } = await serve((socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok'));
      const client = makeClient([]);
      const address = url.replace('127.0.0.1', host);
      await expect(send(client, address)).rejects.toMatchObject({
        code: 'upstream_unavailable',
        cause: expect.objectContaining({ name: 'BlockedAddress' }),
      });
      await expect(client.fetch(address)).rejects.toThrow('fetch failed');
      expect(sockets).toHaveLength(0);
      expect(await (await makeClient().fetch(url)).text()).toBe('ok');
    },
  );

  test('refuses calls after it was closed', async () => {
    const client = makeClient();
    await client.close();
    await expect(send(client, 'http://127.0.0.1:1/')).rejects.toMatchObject({ code: 'shutting_down' });
  });
});
