/** Large request bodies: parsed in slices, forwarded byte for byte, changed in place once, and bounded in memory. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startGateway, startProcess, type TestGateway } from './gateway.ts';
import { liveMegabytes } from './live-heap.ts';
import { answerOk, startVendor, type Vendor } from './vendor.ts';

let gateway: TestGateway;
let vendor: Vendor;
const chat = { model: 'chat' };

beforeAll(async () => {
  gateway = await startGateway();
  vendor = await startVendor();
  const provider = { name: 'vendor', spec: { kind: 'openai-compatible', options: { base_url: vendor.url } } };
  expect((await gateway.as('admin', 'POST', '/api/providers', provider)).status).toBe(201);
  const model = { name: 'chat', spec: { deployments: [{ provider: 'vendor', model: 'up' }] } };
  expect((await gateway.as('admin', 'POST', '/api/models', model)).status).toBe(201);
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await vendor[Symbol.asyncDispose]();
});

it('a large body is parsed correctly and forwarded byte for byte, and an invalid one is refused with a reason', async () => {
  const content = '你好 "quoted" \\ '.repeat(60_000);
  const answer = await gateway.as('developer', 'POST', '/v1/chat/completions', { ...chat, messages: [{ role: 'user', content }], seed: 7 });
  expect(answer.status).toBe(200);
  expect(vendor.requests.at(-1)?.body).toMatchObject({ model: 'up', messages: [{ role: 'user', content }], seed: 7 });
  const text = JSON.stringify({ ...chat, messages: [{ role: 'user', content }] });
  const bad = await gateway.as('developer', 'POST', '/v1/chat/completions', `${text.slice(0, -1)},}`);
  expect(bad).toMatchObject({ status: 400, json: { error: { code: 'invalid_json' } } });
  const twice = await gateway.as('developer', 'POST', '/v1/chat/completions', `${text.slice(0, -1)},"model":"other"}`);
  expect(twice).toMatchObject({ status: 400, json: { error: { code: 'invalid_request', param: 'model' } } });
});

it('a large body reaches the second attempt with every other byte as it was sent', async () => {
  const body = (model: string): string => JSON.stringify({ seed: 0, model, messages: [{ role: 'user', content: '句'.repeat(40_000) }] });
  // A number that no JavaScript number holds.
  const exact = (text: string): string => text.replace('"seed":0', '"seed":12345678901234567890');
  let failures = 1;
  vendor.behave((request, response) => {
    if (failures-- > 0) response.writeHead(500).end('{}');
    else answerOk(request, response);
  });
  const before = vendor.requests.length;
  const answer = await gateway.as('developer', 'POST', '/v1/chat/completions', exact(body('chat')));
  expect(answer.status).toBe(200);
  const attempts = vendor.requests.slice(before);
  expect(attempts).toHaveLength(2);
  for (const { raw, body: received } of attempts) {
    expect(raw).toContain('"seed":12345678901234567890');
    expect(received).toEqual(JSON.parse(exact(body('up'))));
  }
});

it('many large bodies of one person are bounded, do not affect others, and release their memory', async () => {
  let output = (): string => '';
  const launch = async (env: Record<string, string>) => {
    const started = await startProcess({ ...env, NODE_OPTIONS: '--inspect=0' });
    ({ output } = started);
    return started;
  };
  await using node = await startGateway({ PAILOU_BODIES_PER_PERSON_MB: '16' }, launch);
  const content = 'x'.repeat(1_000);
  const body = JSON.stringify({ model: 'demo/echo', messages: Array.from({ length: 5_000 }, () => ({ role: 'user', content })) });
  const small = { model: 'demo/echo', messages: [{ role: 'user', content: 'Hi' }] };
  expect((await node.as('developer', 'POST', '/v1/chat/completions', small)).status).toBe(200);
  const before = await liveMegabytes(output());
  const token = await node.token('user');
  const headers = { authorization: `Bearer ${token}`, 'content-type': 'application/json' };
  const send = (): Promise<number> =>
    fetch(`${node.url}/v1/chat/completions`, { method: 'POST', headers, body }).then(
      async (answer) => {
        await answer.arrayBuffer();
        return answer.status;
      },
      // The connection closed during a write.
      () => 0,
    );
  const progress = { isOver: false };
  const wave = Promise.all(Array.from({ length: 40 }, send)).finally(() => {
    progress.isOver = true;
  });
  const others: number[] = [];
  while (!progress.isOver) others.push((await node.as('developer', 'POST', '/v1/chat/completions', small)).status);
  const statuses = await wave;
  // Three bodies of 5 MB fit at a time.
  expect(statuses.filter((status) => status === 200).length).toBeGreaterThan(2);
  expect(statuses.filter((status) => status === 429).length).toBeGreaterThan(10);
  expect(statuses.filter((status) => ![0, 200, 429].includes(status))).toEqual([]);
  expect(new Set(others)).toEqual(new Set([200]));
  expect((await liveMegabytes(output())) - before).toBeLessThan(20);
});
