/** The primary process is killed during calls, and workers are ended from outside: each call ends explicitly, and nothing is left behind. */
import { execFileSync } from 'node:child_process';
import { readdir, readFile, utimes } from 'node:fs/promises';
import type { ServerResponse } from 'node:http';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openRunsOf } from '../../src/storage/open-run-lines.ts';
import { Connection, type Reply } from './connection.ts';
import { eventually, startGateway, startProcess, type TestGateway } from './gateway.ts';
import { answerOk, chunks, startVendor, type Vendor } from './vendor.ts';

const count = 2;
let vendor: Vendor;
let gateway: TestGateway;
let primary: Awaited<ReturnType<typeof startProcess>>;
let connections: Connection[] = [];
/** Answers that the vendor has begun or not yet begun. */
let open: ServerResponse[] = [];

const hello = (model: string, more: object = {}) => ({ model, messages: [{ role: 'user', content: 'Hi' }], ...more });
const children = (): number[] =>
  execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(primary.pid)], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => /worker\.[tj]s/.test(line))
    .map((line) => Number.parseInt(line, 10));
const isAlive = (pid: number): boolean => {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
};
const admin = async (method: string, path: string, body?: unknown) => {
  const answer = await gateway.as('admin', method, path, body);
  expect(answer.status, answer.text).toBeLessThan(300);
  return answer.json;
};
/** All pages. */
const allRuns = async () => {
  const all: { id: string; error: string | null; outcome: string }[] = [];
  for (let after = ''; ;) {
    const page = await admin('GET', `/api/runs?capability=model/up&limit=200${after}`);
    all.push(...(page.data as typeof all));
    if (page.next === null) return all;
    after = `&after=${encodeURIComponent(page.next as string)}`;
  }
};
const bearer = async () => ({ authorization: `Bearer ${await gateway.token('user')}` });
/** One connection for each worker. */
const connect = (): Connection[] =>
  Array.from({ length: count }, () => {
    const connection = new Connection(gateway.url);
    connections.push(connection);
    return connection;
  });

beforeEach(async () => {
  connections = [];
  open = [];
  vendor = await startVendor();
  gateway = await startGateway(
    { PAILOU_WORKERS: String(count), PAILOU_GRACE_SECONDS: '2' },
    async (env) => (primary = await startProcess(env)),
  );
  await admin('POST', '/api/providers', { name: 'vendor', spec: { kind: 'openai-compatible', options: { base_url: vendor.url } } });
  for (const name of ['up', 'narrow'])
    await admin('POST', '/api/models', {
      name,
      spec: { deployments: [{ provider: 'vendor', model: 'up', ...(name === 'narrow' ? { limits: { concurrency: 50 } } : {}) }] },
    });
  await admin('POST', '/api/grants', { spec: { subject_type: 'role', subject: 'user', capability: 'model/*', action: 'use' } });
  // The first call of a tenant is served by the primary process.
  for (const connection of connect()) await connection.ask('POST', '/v1/chat/completions', await bearer(), hello('up'));
  await eventually(allRuns, (all) => all.length === count);
});
afterEach(async () => {
  for (const connection of connections) connection.close();
  await gateway[Symbol.asyncDispose]();
  await vendor[Symbol.asyncDispose]();
});

const ends = (calls: readonly Promise<Reply>[]) => Promise.all(calls.map((call) => call.catch((thrown: Error) => thrown)));
/** The files that note open streams, with the runs in each. */
const noted = async () => {
  const folder = join(gateway.dataDir, 'open-runs');
  const paths = (await readdir(folder).catch(() => [])).map((name) => join(folder, name));
  return Promise.all(paths.map(async (path) => ({ path, ids: openRunsOf(await readFile(path, 'utf8')).map(({ id }) => id) })));
};

/** Begins a stream of two words that has no end, or does not answer at all. */
const hold = (): void =>
  vendor.behave((request, response) => {
    if (request.body.stream === true) {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const chunk of chunks(['one ', 'two ']).slice(0, 2)) response.write(chunk);
    }
    open.push(response);
  });

it('kill -9 of the primary process: calls end explicitly, no worker stays, and the next start has the port and each stream once', async () => {
  hold();
  const workers = children();
  expect(workers).toHaveLength(count);
  const headers = await bearer();
  const streams = connect().map((connection) => connection.ask('POST', '/v1/chat/completions', headers, hello('up', { stream: true })));
  const whole = connect().map((connection) => connection.ask('POST', '/v1/chat/completions', headers, hello('up')));
  const relayed = connect().map((connection) => connection.ask('POST', '/v1/chat/completions', headers, hello('narrow')));
  await eventually(
    async () => open.length,
    (calls) => calls === 3 * count,
  );
  await eventually(noted, (files) => files.flatMap(({ ids }) => ids).length === count);
  process.kill(primary.pid, 'SIGKILL');
  for (const reply of await ends(streams)) {
    expect(reply).toMatchObject({ status: 200, isCut: false });
    expect((reply as Reply).text).toContain('"shutting_down"');
    expect((reply as Reply).text).not.toContain('[DONE]');
  }
  for (const reply of [...(await ends(whole)), ...(await ends(relayed))]) {
    expect(reply).toMatchObject({ status: 503 });
    expect((reply as Reply).text).toContain('shutting_down');
  }
  await eventually(
    async () => workers.filter(isAlive),
    (alive) => alive.length === 0,
  );
  vendor.behave((request, response) => answerOk(request, response));
  // The notes of a node are those of a dead one after half a minute.
  for (const { path } of await noted()) await utimes(path, new Date(0), new Date(0));
  primary = await startProcess(gateway.env);
  const found = await eventually(allRuns, (all) => all.filter(({ error }) => error === 'node_lost').length >= count);
  expect(new Set(found.map(({ id }) => id)).size).toBe(found.length);
  expect(found.filter(({ error }) => error === 'node_lost')).toHaveLength(count);
  expect(found.length - count).toBeGreaterThanOrEqual(count);
  const [connection] = connect();
  expect(await connection?.ask('POST', '/v1/chat/completions', await bearer(), hello('up'))).toMatchObject({ status: 200 });
  await primary.stop();
});

it('SIGTERM to a worker ends nothing: its calls go on, and it takes the next ones', async () => {
  hold();
  const workers = children();
  const headers = await bearer();
  const lines = connect();
  const streams = lines.map((connection) => connection.ask('POST', '/v1/chat/completions', headers, hello('up', { stream: true })));
  await eventually(
    async () => open.length,
    (calls) => calls === count,
  );
  for (const pid of workers) process.kill(pid, 'SIGTERM');
  // A round trip through both workers, after the signal.
  vendor.behave((request, response) => answerOk(request, response));
  for (const connection of connect())
    expect(await connection.ask('POST', '/v1/chat/completions', headers, hello('up'))).toMatchObject({ status: 200 });
  for (const response of open) response.end(chunks(['one ', 'two ']).slice(2).join(''));
  for (const { text, isCut } of await Promise.all(streams)) {
    expect(isCut).toBe(false);
    expect(text).toContain('[DONE]');
  }
  expect(children()).toEqual(workers);
});

it('a worker that is killed again and again: calls are answered or cut, all answered ones are in the ledger, and no process is left over', async () => {
  vendor.behave((request, response) => answerOk(request, response));
  const headers = await bearer();
  const ending = new AbortController();
  const seen = { answered: 0, cut: 0 };
  const refusals: string[] = [];
  const caller = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      const connection = new Connection(gateway.url);
      const reply = await connection.ask('POST', '/v1/chat/completions', headers, hello('up')).catch(() => null);
      connection.close();
      if (reply === null || reply.isCut) seen.cut++;
      else if (reply.status === 200) seen.answered++;
      else refusals.push(reply.text);
    }
  };
  const callers = Array.from({ length: 4 }, caller);
  const killed = new Set<number>();
  // One place dies as often as it is filled; the other worker is never killed.
  const [kept] = children();
  while (killed.size < 3) {
    const next = await eventually(
      async () => children().find((pid) => pid !== kept && !killed.has(pid)),
      (pid) => pid !== undefined,
    );
    if (next === undefined) continue;
    const { answered } = seen;
    await eventually(
      async () => seen.answered,
      (now) => now > answered + 4,
    );
    killed.add(next);
    process.kill(next, 'SIGKILL');
  }
  await eventually(
    async () => children(),
    (pids) => pids.length === count && pids.every((pid) => !killed.has(pid)),
  );
  ending.abort();
  await Promise.all(callers);
  expect(refusals).toEqual([]);
  expect(children()).toContain(kept);
  // A worker may die between the answer and its record; such a call is in the ledger as lost. A cut call may not have reached a worker.
  const found = await eventually(allRuns, (all) => all.length - count >= seen.answered);
  expect(found.length - count).toBeLessThanOrEqual(seen.answered + seen.cut);
  expect(found.filter(({ error }) => error !== null && error !== 'node_lost')).toEqual([]);
});
