import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createPictureFetcher } from '../../src/models/image-fetcher.ts';
import { createOutboundClient, type OutboundClient } from '../../src/outbound/client.ts';
import { createOutboundGuard } from '../../src/outbound/guard.ts';
import type { ChatRequest } from '../../src/types/chat.ts';

const png = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.alloc(100)]);
let server: Server;
let base: string;
let asked: string[] = [];
let behave: (path: string, response: ServerResponse) => void;
const clients: OutboundClient[] = [];

beforeAll(async () => {
  server = createServer((request, response) => {
    asked.push(request.url ?? '');
    behave(request.url ?? '', response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  base = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterEach(async () => {
  asked = [];
  await Promise.all(clients.splice(0).map((client) => client.close()));
});
afterAll(() => {
  server.closeAllConnections();
  server.close();
});

function fetcher(allow: readonly string[]) {
  const guard = createOutboundGuard({ allow });
  const client = createOutboundClient(guard);
  clients.push(client);
  return createPictureFetcher({ guard, fetch: client.fetch });
}

const asking = (...urls: string[]): ChatRequest => ({
  body: {
    model: 'm',
    messages: [
      {
        role: 'user',
        content: [{ type: 'text', text: 'what is it?' }, ...urls.map((url) => ({ type: 'image_url', image_url: { url, detail: 'low' } }))],
      },
    ],
  },
});
const signal = new AbortController().signal;

describe('images by URL', () => {
  it('become data URLs by their content, not by the declared type; a URL that occurs twice is fetched once', async () => {
    behave = (_path, response) => void response.writeHead(200, { 'content-type': 'text/plain' }).end(png);
    const { body } = await fetcher(['127.0.0.0/8']).inline(asking(`${base}/a`, `${base}/a`), signal);
    const url = `data:image/png;base64,${png.toString('base64')}`;
    expect(body.messages[0]?.['content']).toEqual([
      { type: 'text', text: 'what is it?' },
      { type: 'image_url', image_url: { url, detail: 'low' } },
      { type: 'image_url', image_url: { url, detail: 'low' } },
    ]);
    expect(asked).toEqual(['/a']);
  });

  it('leave a request without images unchanged', async () => {
    const request = asking('data:image/png;base64,AAAA');
    expect(await fetcher([]).inline(request, signal)).toBe(request);
  });

  it.each([
    'http://127.0.0.1:9/a',
    'http://[::ffff:127.0.0.1]/a',
    'http://0x7f.1/a',
    'http://localhost/a',
    'http://169.254.169.254/latest/meta-data',
    'http://metadata.google.internal/',
    'file:///etc/passwd',
    'http://user:word@example.com/a',
  ])('are refused when the address is %s', async (url) => {
    await expect(fetcher([]).inline(asking(url), signal)).rejects.toMatchObject({
      code: 'invalid_request',
      param: 'messages[0].content[1].image_url.url',
      message: expect.stringContaining('data: URL') as string,
    });
  });

  it('are refused when an allowed address redirects to a forbidden one', async () => {
    behave = (path, response) => void response.writeHead(302, { location: path === '/a' ? '/b' : 'http://10.0.0.1/secret' }).end();
    await expect(fetcher(['127.0.0.0/8']).inline(asking(`${base}/a`), signal)).rejects.toMatchObject({ code: 'invalid_request' });
    expect(asked).toEqual(['/a', '/b']);
  });

  it('follow a few redirects and no more', async () => {
    behave = (path, response) => {
      const step = Number(path.slice(1));
      if (step < 3) response.writeHead(307, { location: `/${step + 1}` }).end();
      else response.end(png);
    };
    await fetcher(['127.0.0.0/8']).inline(asking(`${base}/1`), signal);
    behave = (_path, response) => void response.writeHead(307, { location: '/again' }).end();
    await expect(fetcher(['127.0.0.0/8']).inline(asking(`${base}/1`), signal)).rejects.toThrow('redirects too often');
  });

  it.each([
    ['is no picture', (response: ServerResponse) => void response.end('<html>'), 'no PNG'],
    ['is not there', (response: ServerResponse) => void response.writeHead(404).end(), 'status 404'],
    [
      'is cut',
      (response: ServerResponse) => void response.writeHead(200, { 'content-length': '500' }).write(png, () => response.destroy()),
      'whole',
    ],
    [
      'is too large',
      (response: ServerResponse) => void response.end(Buffer.concat([png, Buffer.alloc(21 * 1024 * 1024)])),
      'larger than 20 MB',
    ],
  ])('are refused when the response %s', async (_what, answer, word) => {
    behave = (_path, response) => answer(response);
    await expect(fetcher(['127.0.0.0/8']).inline(asking(`${base}/a`), signal)).rejects.toThrow(word);
  });

  it('are aborted together when one of them fails', async () => {
    const { promise: gone, resolve } = Promise.withResolvers<void>();
    behave = (path, response) => {
      if (path === '/missing') setTimeout(() => response.writeHead(404).end(), 30);
      else response.writeHead(200).on('close', resolve).write(png);
    };
    await expect(fetcher(['127.0.0.0/8']).inline(asking(`${base}/endless`, `${base}/missing`), signal)).rejects.toThrow(/status 404/);
    await gone;
  });

  it('are aborted immediately when the caller leaves', async () => {
    const controller = new AbortController();
    behave = () => controller.abort(new Error('left'));
    await expect(fetcher(['127.0.0.0/8']).inline(asking(`${base}/a`), controller.signal)).rejects.toThrow();
  });
});
