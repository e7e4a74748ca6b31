/** Interim responses that were not requested (RFC 9110 15.2), from a server whose every byte the test controls. */
import { once } from 'node:events';
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
import { createOutboundClient } from '../../src/outbound/client.ts';
import { createOutboundGuard } from '../../src/outbound/guard.ts';
import { startGateway } from '../whole/gateway.ts';

const cleanups: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

type Parts = readonly string[];
const answerOf = (body: string): string =>
  `HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`;
const proceed = 'HTTP/1.1 100 Continue\r\n\r\n';
const hints = 'HTTP/1.1 103 Early Hints\r\nlink: </a>; rel=preload\r\n\r\n';
const answer = answerOf('{"ok":true}');

/** Answers each request with these parts, each in a separate write. */
async function serve(parts: (request: string) => Parts): Promise<string> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.setNoDelay(true));
    socket.on('error', () => {});
    let request = '';
    const take = async (bytes: Buffer | string): Promise<void> => {
      request += bytes.toString();
      const length = Number(/content-length: (\d+)/i.exec(request)?.[1] ?? 0);
      if (request.length < request.indexOf('\r\n\r\n') + 4 + length) return;
      const whole = request;
      request = '';
      for (const part of parts(whole)) {
        socket.write(part);
        for (let turns = 0; turns < 5; turns++) await turn();
      }
    };
    socket.on('data', (bytes) => void take(bytes));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  cleanups.push(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/v1`;
}

async function read(body: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = [];
  for await (const part of body) parts.push(part);
  return Buffer.concat(parts).toString();
}

const cases: readonly (readonly [string, Parts])[] = [
  ['100 in a read of its own', [proceed, answer]],
  ['100 and the answer in one read', [proceed + answer]],
  ['100 with headers, byte by byte', ['HTTP/1.1 100 Continue\r\ndate: now\r\n\r\n'.split(''), answer].flat()],
  ['100 twice', [proceed, proceed, answer]],
  ['100 without a reason', ['HTTP/1.1 100 \r\n\r\n', answer]],
  ['102, 100 and 103', [`HTTP/1.1 102 Processing\r\n\r\n${proceed}`, hints, answer]],
  ['100 that is cut in the middle of the answer that follows', [`${proceed}HTTP/1.`, answer.slice('HTTP/1.'.length)]],
  ['103', [hints, answer]],
];

it.each(cases)('%s before the answer does not end a call, also on a connection that is used again', async (_what, parts) => {
  const url = await serve(() => parts);
  const client = createOutboundClient(createOutboundGuard({ allow: ['127.0.0.0/8'] }));
  cleanups.push(() => client.close());
  for (let call = 0; call < 2; call++) {
    const { status, body } = await client.send({ method: 'POST', url, headers: {}, body: '{}' });
    expect(status).toBe(200);
    expect(await read(body)).toBe('{"ok":true}');
  }
  expect(await (await client.fetch(url, { method: 'POST', body: '{}' })).json()).toEqual({ ok: true });
});

it('text that looks like an interim response stays in the body', async () => {
  const head = `HTTP/1.1 200 OK\r\ncontent-length: ${3 + proceed.length}\r\n\r\n`;
  const url = await serve(() => [`${head}yes`, proceed]);
  const client = createOutboundClient(createOutboundGuard({ allow: ['127.0.0.0/8'] }));
  cleanups.push(() => client.close());
  const { body } = await client.send({ method: 'POST', url, headers: {}, body: '{}' });
  expect(await read(body)).toBe(`yes${proceed}`);
});

it('a head without end is refused, and not collected without bound', async () => {
  const url = await serve(() => ['HTTP/1.1 100 Continue\r\n', ...Array.from({ length: 40 }, () => `x: ${'y'.repeat(1_000)}\r\n`)]);
  const client = createOutboundClient(createOutboundGuard({ allow: ['127.0.0.0/8'] }));
  cleanups.push(() => client.close());
  await expect(client.send({ method: 'POST', url, headers: {}, body: '{}' })).rejects.toMatchObject({ code: 'upstream_invalid_response' });
});

it.each([true, false])('a vendor that sends 100 and 103 before its answer answers the caller (stream: %s)', async (stream) => {
  const chunk = { id: 'v', object: 'chat.completion.chunk', created: 1, model: 'up' };
  const events = [
    { ...chunk, choices: [{ index: 0, delta: { role: 'assistant', content: 'Hello' }, finish_reason: null }] },
    { ...chunk, choices: [{ index: 0, delta: {}, finish_reason: 'stop' }] },
  ].map((event) => `data: ${JSON.stringify(event)}\n\n`);
  const message = { role: 'assistant', content: 'Hello' };
  const usage = { prompt_tokens: 5, completion_tokens: 2, total_tokens: 7 };
  const whole = { ...chunk, object: 'chat.completion', choices: [{ index: 0, message, finish_reason: 'stop' }], usage };
  const streamed = `HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nconnection: close\r\n\r\n`;
  const url = await serve(() => [
    proceed,
    hints,
    ...(stream ? [streamed, ...events, 'data: [DONE]\n\n'] : [answerOf(JSON.stringify(whole))]),
  ]);
  await using gateway = await startGateway();
  await gateway.as('admin', 'POST', '/api/providers', {
    name: 'v',
    spec: { kind: 'openai-compatible', options: { base_url: url, api_key: 'k' } },
  });
  await gateway.as('admin', 'POST', '/api/models', { name: 'm', spec: { deployments: [{ provider: 'v', model: 'up' }] } });
  const { status, text } = await gateway.as('admin', 'POST', '/v1/chat/completions', {
    model: 'm',
    messages: [{ role: 'user', content: 'Hi' }],
    stream,
  });
  expect(status, text).toBe(200);
  expect(text).toContain('Hello');
  expect(text).not.toContain('"error"');
});
