/** The bytes of a streamed response body, as a client without any HTTP library sees them. */
import { once } from 'node:events';
import { createServer, type ServerResponse } from 'node:http';
import { type AddressInfo, connect, type Socket } from 'node:net';
import { expect, it } from 'vitest';
import { ChunkedBody } from '../../../src/api/answers/chunked-body.ts';

async function serve(answer: (response: ServerResponse) => void): Promise<AsyncDisposable & { readonly client: Socket }> {
  const server = createServer((_request, response) => answer(response)).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const client = connect((server.address() as AddressInfo).port, '127.0.0.1');
  await once(client, 'connect');
  return {
    client,
    async [Symbol.asyncDispose]() {
      client.destroy();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

async function readUntil(client: Socket, end: (text: string) => boolean): Promise<string> {
  let text = '';
  for await (const bytes of client.iterator({ destroyOnReturn: false })) {
    text += (bytes as Buffer).toString('latin1');
    if (end(text)) break;
  }
  return Buffer.from(text, 'latin1').toString('utf8');
}

/** Starts work whose failure no test may miss. */
function start(work: () => Promise<void>): void {
  work().catch((thrown: unknown) => {
    throw thrown;
  });
}

const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
const countOf = (text: string, part: string): number => text.split(part).length - 1;

/** Writes the parts and ends the response. `turns`: each part in its own turn of the event loop. */
async function writeParts(response: ServerResponse, parts: readonly string[], turns: boolean): Promise<void> {
  const body = new ChunkedBody(response, () => {});
  response.writeHead(200);
  for (const part of parts) {
    body.write(part);
    if (turns) await nextTurn();
  }
  response.end('last');
}

it('writes each part as one chunk with its length in bytes, in the order of the parts', async () => {
  await using served = await serve((response) => void writeParts(response, ['head', 'plain', 'é', '牌楼 🙂', 'x'.repeat(300)], true));
  served.client.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  const text = await readUntil(served.client, (each) => each.endsWith('0\r\n\r\n'));
  expect(text.slice(text.indexOf('\r\n\r\n') + 4)).toBe(
    `4\r\nhead\r\n5\r\nplain\r\n2\r\né\r\nb\r\n牌楼 🙂\r\n12c\r\n${'x'.repeat(300)}\r\n4\r\nlast\r\n0\r\n\r\n`,
  );
});

it('keeps the order of parts that are written in one turn', async () => {
  await using served = await serve((response) => void writeParts(response, ['one ', 'two ', '三 '], false));
  served.client.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  const text = await readUntil(served.client, (each) => each.endsWith('0\r\n\r\n'));
  const chunks = text.slice(text.indexOf('\r\n\r\n') + 4).replaceAll(/(?:^|\r\n)[0-9a-f]+\r\n/g, '');
  expect(chunks.trim()).toBe('one two 三 last');
});

it('makes one write of a part', async () => {
  const writes: number[] = [];
  await using served = await serve((response) => {
    const { socket } = response;
    if (socket === null) throw new Error('the response has no connection');
    const write = socket.write.bind(socket) as (...parts: unknown[]) => boolean;
    let count = 0;
    socket.write = (...parts: unknown[]) => {
      count++;
      return write(...parts);
    };
    const body = new ChunkedBody(response, () => {});
    start(async () => {
      body.write('head');
      await nextTurn();
      for (let part = 0; part < 3; part++) {
        count = 0;
        body.write('part');
        await nextTurn();
        writes.push(count);
      }
      response.end();
    });
  });
  served.client.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  await readUntil(served.client, (each) => each.endsWith('0\r\n\r\n'));
  expect(writes).toEqual([1, 1, 1]);
});

it('writes no chunks to a client of HTTP/1.0', async () => {
  await using served = await serve((response) => void writeParts(response, ['one ', 'two ', '三 '], true));
  served.client.write('GET / HTTP/1.0\r\n\r\n');
  const text = await readUntil(served.client, () => false);
  expect(text.slice(text.indexOf('\r\n\r\n') + 4)).toBe('one two 三 last');
});

it('holds back an answer until the one before it on the same connection has ended', async () => {
  const responses: ServerResponse[] = [];
  const both = Promise.withResolvers<void>();
  await using served = await serve((response) => {
    responses.push(response);
    if (responses.length === 2) both.resolve();
  });
  served.client.write('GET /1 HTTP/1.1\r\nhost: x\r\n\r\nGET /2 HTTP/1.1\r\nhost: x\r\n\r\n');
  await both.promise;
  const [first, second] = responses as [ServerResponse, ServerResponse];
  await writeParts(second, ['2a', '2b'], true);
  await writeParts(first, ['1a', '1b'], true);
  const text = await readUntil(served.client, (each) => countOf(each, '0\r\n\r\n') === 2);
  expect(text.replaceAll(/HTTP[^]*?\r\n\r\n/g, '')).toMatch(
    /^2\r\n1a\r\n2\r\n1b\r\n4\r\nlast\r\n0\r\n\r\n[^]*2a[^]*2b[^]*last\r\n0\r\n\r\n$/,
  );
});

it('says that the client has no room, and when it has room again', async () => {
  const part = '满'.repeat(20_000);
  let written = 0;
  const full = Promise.withResolvers<void>();
  await using served = await serve((response) => {
    const body = new ChunkedBody(response, () => {
      expect(body.isFull).toBe(false);
      response.end();
    });
    start(async () => {
      body.write('head');
      await nextTurn();
      do written++;
      while (body.write(part));
      // More of the same read may follow.
      body.write(part);
      written++;
      expect(body.isFull).toBe(true);
      expect(response.socket?.listeners('drain')).toHaveLength(2);
      full.resolve();
    });
  });
  served.client.pause();
  served.client.write('GET / HTTP/1.1\r\nhost: x\r\n\r\n');
  await full.promise;
  const text = await readUntil(served.client, (each) => each.endsWith('0\r\n\r\n'));
  expect(countOf(text, '满')).toBe(written * 20_000);
});
