/**
 * The promises, timers and abort controllers of one call and of one streamed chunk, and the bytes that a chunk allocates. A count is the
 * same on every machine, so that a new layer on the path of a call fails here. The runtime counts promises, timers and bytes.
 */
import { createHook } from 'node:async_hooks';
import { Agent, createServer, request as httpRequest, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { sep } from 'node:path';
import { getHeapStatistics } from 'node:v8';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { startGateway, type TestGateway } from './gateway.ts';
import { chunks, completion } from './vendor.ts';

/** The upper bounds of one call, for each client format. */
const bounds = {
  chat: { whole: { promises: 5, timers: 1, controllers: 0 }, stream: { promises: 5, timers: 4, controllers: 0 } },
  messages: { whole: { promises: 5, timers: 1, controllers: 0 }, stream: { promises: 5, timers: 4, controllers: 0 } },
  responses: { whole: { promises: 11, timers: 1, controllers: 0 }, stream: { promises: 11, timers: 4, controllers: 0 } },
} as const;
type Face = keyof typeof bounds;

const paths: Readonly<Record<Face, string>> = { chat: '/v1/chat/completions', messages: '/v1/messages', responses: '/v1/responses' };
const question = 'Hello';
const bodies: Readonly<Record<Face, object>> = {
  chat: { model: 'm', messages: [{ role: 'user', content: question }] },
  messages: { model: 'm', max_tokens: 100, messages: [{ role: 'user', content: question }] },
  responses: { model: 'm', input: question, store: false },
};

/** The upper bound of kilobytes that a further chunk allocates, together with the vendor and the client of this test in the same process. */
const mostKilobytes = 12;

let gateway: TestGateway;
let token: string;
/** The words of the next stream. */
let words: readonly string[] = [];
/** Writes the next chunk of the open stream. */
let writeNext = (): void => {};
const agent = new Agent({ keepAlive: true, maxSockets: 1 });

/** Sends one chunk at a time: the next one when the client has received the last one, so that each is a read of its own. */
function stream(response: ServerResponse): void {
  response.writeHead(200, { 'content-type': 'text/event-stream' });
  const parts = chunks(words);
  const [first = '', ...rest] = parts;
  const visible = rest.slice(0, words.length);
  const end = rest.slice(words.length).join('');
  let at = 0;
  writeNext = () => {
    if (at < visible.length) response.write(visible[at++]);
    else if (at++ === visible.length) response.end(end);
  };
  response.write(first);
  writeNext();
}

/** Callbacks only, here and in `ask`: the promises that are counted are the gateway's. */
const vendor = createServer((request, response) => {
  let body = '';
  request.setEncoding('utf8').on('data', (part: string) => (body += part));
  request.on('end', () => {
    if (body.includes('"stream":true')) stream(response);
    else response.writeHead(200, { 'content-type': 'application/json' }).end(completion('ok'));
  });
});

function ask(face: Face, streamed: boolean, done: (text: string) => void): void {
  const body = JSON.stringify({ ...bodies[face], stream: streamed });
  const request = httpRequest(`${gateway.url}${paths[face]}`, {
    method: 'POST',
    agent,
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token}`, 'content-length': Buffer.byteLength(body) },
  });
  request.on('response', (response) => {
    let text = '';
    response.setEncoding('utf8').on('data', (part: string) => {
      text += part;
      // After the turn in which the gateway wrote.
      if (streamed) setImmediate(writeNext);
    });
    response.on('end', () => done(text));
  });
  request.end(body);
}

interface Counts {
  promises: number;
  timers: number;
  controllers: number;
}

let counted: Counts | null = null;
/** True for a timer that the gateway's own code starts. Node's HTTP server and the test's client have some of their own. */
const isOwn = (): boolean => new Error('where').stack?.includes(`${sep}src${sep}`) === true;
const hook = createHook({
  init(_id, type) {
    if (counted === null) return;
    if (type === 'PROMISE') counted.promises++;
    else if (type === 'Timeout' && isOwn()) counted.timers++;
  },
});
class CountedController extends AbortController {
  constructor() {
    super();
    if (counted !== null) counted.controllers++;
  }
}

const kinds = ['promises', 'timers', 'controllers'] as const;

function countOnce(face: Face, streamed: boolean, expected: string): Promise<Counts> {
  const counts: Counts = { promises: 0, timers: 0, controllers: 0 };
  return new Promise((resolve) => {
    setImmediate(() => {
      counted = counts;
      ask(face, streamed, (text) => {
        counted = null;
        expect(text).toContain(expected);
        resolve(counts);
      });
    });
  });
}

/** The counts of one call. The least of many rounds: the rest is work in the background that happened to run meanwhile. */
async function countsOf(face: Face, streamed: boolean, given: readonly string[] = ['a ', 'b ', 'c']): Promise<Counts> {
  words = given;
  const least: Counts = { promises: Infinity, timers: Infinity, controllers: Infinity };
  for (let round = 0; round < 25; round++) {
    const counts = await countOnce(face, streamed, streamed ? (given.at(-1) ?? '') : 'ok');
    for (const kind of kinds) least[kind] = Math.min(least[kind], counts[kind]);
  }
  return least;
}

const wordsOf = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `w${index} `);

/** The bytes that one stream allocates. The least of several rounds: the rest is work in the background, and code that is not optimised yet. */
async function allocatedBy(face: Face, given: readonly string[]): Promise<number> {
  words = given;
  const calls = 20;
  let least = Infinity;
  for (let round = 0; round < 8; round++) {
    const before = getHeapStatistics().total_allocated_bytes;
    for (let each = 0; each < calls; each++) await new Promise<void>((resolve) => ask(face, true, () => resolve()));
    least = Math.min(least, (getHeapStatistics().total_allocated_bytes - before) / calls);
  }
  return least;
}

beforeAll(async () => {
  gateway = await startGateway();
  vendor.listen(0, '127.0.0.1');
  await new Promise((resolve) => vendor.once('listening', resolve));
  const base = `http://127.0.0.1:${(vendor.address() as AddressInfo).port}`;
  await gateway.as('admin', 'POST', '/api/providers', { name: 'p', spec: { kind: 'openai-compatible', options: { base_url: base } } });
  const made = await gateway.as('admin', 'POST', '/api/models', { name: 'm', spec: { deployments: [{ provider: 'p', model: 'm' }] } });
  expect(made.status).toBe(201);
  token = await gateway.token('developer');
  vi.stubGlobal('AbortController', CountedController);
  hook.enable();
});
afterAll(async () => {
  hook.disable();
  vi.unstubAllGlobals();
  agent.destroy();
  vendor.closeAllConnections();
  vendor.close();
  await gateway[Symbol.asyncDispose]();
});

describe.each(Object.keys(bounds) as Face[])('a call of the format %s', (face) => {
  it.each([
    ['a whole answer', false],
    ['a stream', true],
  ] as const)('costs no more than its bounds: %s', async (_what, streamed) => {
    const counts = await countsOf(face, streamed);
    const most = bounds[face][streamed ? 'stream' : 'whole'];
    for (const kind of kinds) expect.soft(counts[kind], `${kind}, at most ${most[kind]}`).toBeLessThanOrEqual(most[kind]);
    // The counter sees something.
    expect(counts.promises).toBeGreaterThan(0);
  });

  it('costs nothing more for a further chunk', async () => {
    const few = await countsOf(face, true, wordsOf(5));
    const many = await countsOf(face, true, wordsOf(55));
    expect(many).toEqual(few);
  });

  it('allocates no more than its bound for a further chunk', async () => {
    hook.disable();
    const kilobytes = ((await allocatedBy(face, wordsOf(85))) - (await allocatedBy(face, wordsOf(5)))) / 80 / 1_000;
    hook.enable();
    expect(kilobytes).toBeLessThanOrEqual(mostKilobytes);
    // The counter sees something.
    expect(kilobytes).toBeGreaterThan(1);
  });
});
