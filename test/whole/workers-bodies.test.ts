/** Bodies with worker processes: refused unread where one process refuses them, and counted in one memory for all workers. */
import { execFileSync } from 'node:child_process';
import { connect, type Socket } from 'node:net';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { eventually, startGateway, startProcess, type TestGateway } from './gateway.ts';

let gateway: TestGateway;
let pid = 0;
const senders: Sender[] = [];
const megabyte = 1_048_576;
const chat = '/v1/chat/completions';

interface Sender {
  readonly socket: Socket;
  readonly closed: Promise<unknown>;
  /** The status of the answer, 100 when the body is asked for, and 0 before. */
  status(): number;
}

/** Sends the head of a request without its body. */
async function start(path: string, length: number, token: string, more: readonly string[] = []): Promise<Sender> {
  const socket = connect({ port: Number(new URL(gateway.url).port), host: '127.0.0.1' });
  let text = '';
  socket.on('data', (part: Buffer) => (text += part.toString('latin1'))).on('error', () => {});
  const closed = new Promise((resolve) => socket.once('close', resolve));
  const head = [`POST ${path} HTTP/1.1`, 'host: pailou', 'content-type: application/json', `content-length: ${length}`, ...more];
  socket.write([...head, `authorization: Bearer ${token}`, '', ''].join('\r\n'));
  const sender = { socket, closed, status: () => Number(/^HTTP\/1\.1 (\d+)/.exec(text)?.[1] ?? 0) };
  senders.push(sender);
  return sender;
}

/** The status of a request that states what is to come: 100 when its body has room. */
async function statusOf(path: string, length: number, token: string): Promise<number> {
  const sender = await start(path, length, token, ['expect: 100-continue']);
  return eventually(async () => sender.status(), Boolean);
}

const workers = (): number[] =>
  execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(pid)], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => /worker\.[tj]s/.test(line))
    .map((line) => Number.parseInt(line, 10));

/** Resolves when each worker serves. A connection that was on its way to a worker when that was killed is cut; none waits for an answer. */
async function allServe(): Promise<void> {
  const served = async (): Promise<number[]> => {
    const text = await gateway.as('admin', 'GET', '/metrics').then(
      (answer) => answer.text,
      () => '',
    );
    return [...text.matchAll(/^pailou_worker_runs_total\{worker="\d+"\} (\d+)$/gm)].map(([, runs]) => Number(runs));
  };
  const before = await eventually(served, ({ length }) => length === 2);
  const hello = { model: 'demo/echo', messages: [{ role: 'user', content: 'Hi' }] };
  await eventually(
    async () => {
      await gateway.as('user', 'POST', chat, hello, { connection: 'close' }).catch(() => {});
      return served();
    },
    (now) => now.length === 2 && now.every((runs, place) => runs > (before[place] ?? 0)),
  );
}

beforeAll(async () => {
  gateway = await startGateway(
    { PAILOU_WORKERS: '2', PAILOU_BODIES_PER_PERSON_MB: '4', PAILOU_BODIES_MB: '20', PAILOU_SLOW_BODY_SECONDS: '120' },
    async (env) => {
      const program = await startProcess(env);
      ({ pid } = program);
      return program;
    },
  );
});
afterEach(async () => {
  for (const { socket } of senders.splice(0)) socket.destroy();
  const { data } = (await gateway.as('admin', 'GET', '/api/limits')).json;
  for (const { name } of data) await gateway.as('admin', 'DELETE', `/api/limits/${name}`);
});
afterAll(() => gateway[Symbol.asyncDispose]());

it('a caller without the right gets the answer at once, on a path of the workers and on one of the primary process', async () => {
  for (const path of [chat, '/api/models', '/v1/messages', '/mcp'])
    for (const length of [1_000, 19 * megabyte]) await start(path, length, 'nonsense');
  await Promise.all(senders.filter((_, index) => index % 2 === 1).map(({ closed }) => closed));
  for (const sender of senders) expect(await eventually(async () => sender.status(), Boolean)).toBe(401);
});

it('the memory of one person is counted over all processes, and is free again when a worker dies', async () => {
  const token = await gateway.token('user');
  await allServe();
  for (const path of [chat, chat, '/v1/messages', '/mcp']) expect(await statusOf(path, 1_000_000, token), path).toBe(100);
  for (const path of [chat, chat, '/v1/messages', '/mcp']) expect(await statusOf(path, 1_000_000, token), path).toBe(429);
  for (const worker of workers()) process.kill(worker, 'SIGKILL');
  await Promise.all(senders.map(({ closed }) => closed));
  await allServe();
  // A body of this size fits only when everything is free.
  const whole = 3_900_000;
  await eventually(
    () => statusOf(chat, whole, token),
    (status) => status === 100,
  );
  for (const path of [chat, chat, '/mcp']) expect(await statusOf(path, 1_000_000, token), path).toBe(429);
});

it('a limit of concurrent calls refuses a second body unread, whichever workers receive the two', async () => {
  await gateway.as('admin', 'POST', '/api/limits', { name: 'one', spec: { subject_type: 'user', concurrent_calls: 1 } });
  const token = await gateway.token('user');
  await eventually(
    () => statusOf(chat, 300_000, token),
    (status) => status === 100,
  );
  for (const length of [300_000, 1_000, 300_000, 1_000]) {
    const sender = await start(chat, length, token);
    expect(await eventually(async () => sender.status(), Boolean)).toBe(429);
  }
  const text = (await gateway.as('admin', 'GET', '/metrics')).text;
  expect(Number(/pailou_limit_refusals_total\{limit="one",measure="concurrent"\} (\d+)/.exec(text)?.[1])).toBeGreaterThanOrEqual(4);
});
