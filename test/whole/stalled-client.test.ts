/** A client that reads nothing: its call ends, is recorded, and releases its reservations. */
import { connect, type Socket } from 'node:net';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, startGateway, type TestGateway } from './gateway.ts';
import { startVendor, type Vendor } from './vendor.ts';

let gateway: TestGateway;
let vendor: Vendor;

beforeAll(async () => {
  gateway = await startGateway({ PAILOU_UNREAD_SECONDS: '1' });
  vendor = await startVendor();
  const made = async (path: string, body: object) => expect((await gateway.as('admin', 'POST', path, body)).status).toBe(201);
  await made('/api/providers', { name: 'vendor', spec: { kind: 'openai-compatible', options: { base_url: vendor.url } } });
  const deployments = [{ provider: 'vendor', model: 'up', limits: { concurrency: 1 } }];
  await made('/api/models', { name: 'flood', spec: { deployments } });
  await made('/api/models', { name: 'voice', spec: { deployments, operations: ['speech'] } });
  await made('/api/limits', { name: 'one', spec: { subject_type: 'user', per_model: true, concurrent_calls: 1 } });
  // Megabytes, endlessly.
  vendor.behave((request, response) => {
    const sound = request.path.endsWith('/speech');
    response.writeHead(200, { 'content-type': sound ? 'audio/mpeg' : 'text/event-stream' });
    const text = 'word '.repeat(10_000);
    const bytes = sound
      ? Buffer.alloc(65_536)
      : `data: ${JSON.stringify({ id: 'v', object: 'chat.completion.chunk', created: 1, model: 'v', choices: [{ index: 0, delta: { content: text }, finish_reason: null }] })}\n\n`;
    const pour = (): void => {
      while (!response.destroyed && response.write(bytes));
    };
    response.on('drain', pour);
    pour();
  });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await vendor[Symbol.asyncDispose]();
});

async function deaf(path: string, body: object): Promise<Socket> {
  const text = JSON.stringify(body);
  const socket = connect(Number(new URL(gateway.url).port), '127.0.0.1');
  socket.on('error', () => {});
  socket.pause();
  socket.write(
    `POST ${path} HTTP/1.1\r\nhost: x\r\nauthorization: Bearer ${await gateway.token('developer')}\r\ncontent-type: application/json\r\ncontent-length: ${text.length}\r\n\r\n${text}`,
  );
  return socket;
}

describe.each([
  ['flood', '/v1/chat/completions', { stream: true, messages: [{ role: 'user', content: 'Hello' }] }],
  ['voice', '/v1/audio/speech', { input: 'Hello', voice: 'alloy' }],
])('%s', (model, path, more) => {
  it('releases its permit and its limits, and is in the ledger', async () => {
    const before = vendor.aborts;
    const socket = await deaf(path, { model, ...more });
    await eventually(
      async () => vendor.requests.filter((request) => request.path.endsWith(path.slice(3))).length,
      (asked) => asked === 1,
    );
    const other = await gateway.as('developer', 'POST', path, { model, ...more, stream: false });
    expect(other.status, 'while it lasts').toBe(429);
    await eventually(
      async () => vendor.aborts - before,
      (gone) => gone === 1,
    );
    const { data } = await eventually(
      async () => (await gateway.as('admin', 'GET', `/api/runs?capability=model/${model}`)).json as { data: { outcome: string }[] },
      (runs) => runs.data.some(({ outcome }) => outcome === 'aborted'),
    );
    expect(data.filter(({ outcome }) => outcome === 'aborted')).toHaveLength(1);
    const { deployments } = (await gateway.as('admin', 'GET', '/api/health')).json as {
      deployments: Record<string, { in_flight: number }>;
    };
    expect(Object.values(deployments).every((each) => each.in_flight === 0)).toBe(true);
    socket.destroy();
  });
});

it('a client that reads slowly is not a stalled client', async () => {
  const socket = await deaf('/v1/chat/completions', { model: 'flood', stream: true, messages: [{ role: 'user', content: 'Hello' }] });
  let read = 0;
  for (let second = 0; second < 12; second++) {
    await new Promise((resolve) => setTimeout(resolve, 250));
    // More than one system buffer, so that bytes move at the far end.
    for (let part = socket.read(1_000_000); part !== null && read < (second + 1) * 4_000_000; part = socket.read(1_000_000))
      read += part.length;
    socket.read(0);
  }
  expect(socket.destroyed).toBe(false);
  expect(read).toBeGreaterThan(1_000_000);
  socket.destroy();
});
