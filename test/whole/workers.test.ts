/** One gateway with four worker processes: limits, records, sessions, changes and the stop are those of one process. */
import { execFileSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import type { ServerResponse } from 'node:http';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startPailou } from '../../src/main.ts';
import { Connection } from './connection.ts';
import { eventually, startGateway, startProcess, type TestGateway } from './gateway.ts';
import { answerOk, chunks, startVendor, type Vendor } from './vendor.ts';

const count = 4;
let gateway: TestGateway;
let vendor: Vendor;
let primary: Awaited<ReturnType<typeof startProcess>>;
/** Two output tokens cost 0.01: the vendor always answers two. */
const price = { currency: 'USD', input: 0, output: '5000' };
const grant = { subject_type: 'role', subject: 'user', capability: 'model/*', action: 'use' };

const connections: Connection[] = [];
const bearer = async (role: 'admin' | 'developer' | 'user') => ({ authorization: `Bearer ${await gateway.token(role)}` });
const hello = (model: string, more: object = {}) => ({ model, messages: [{ role: 'user', content: 'Hi' }], ...more });
const ask = (role: 'developer' | 'user', model: string, more: object = {}) =>
  gateway.as(role, 'POST', '/v1/chat/completions', hello(model, more), { connection: 'close' });
const statuses = (answers: readonly { status: number }[]): Record<string, number> =>
  Object.fromEntries(Object.entries(Object.groupBy(answers, ({ status }) => status)).map(([status, all]) => [status, all?.length ?? 0]));
const admin = async (method: string, path: string, body?: unknown) => {
  const answer = await gateway.as('admin', method, path, body);
  expect(answer.status, answer.text).toBeLessThan(300);
  return answer.json;
};
const limit = (name: string, spec: object) => admin('POST', '/api/limits', { name, spec });
const runsOf = async (capability: string) =>
  (await admin('GET', `/api/runs?capability=${capability}&limit=200`)).data as { outcome: string; error: string | null }[];
const workers = (): number[] =>
  execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(primary.pid)], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => /worker\.[tj]s/.test(line))
    .map((line) => Number.parseInt(line, 10));
/** The runs that each worker has ended. */
const served = async (): Promise<number[]> =>
  [...(await gateway.as('admin', 'GET', '/metrics')).text.matchAll(/^pailou_worker_runs_total\{worker="\d+"\} (\d+)$/gm)].map(([, runs]) =>
    Number(runs),
  );

beforeAll(async () => {
  vendor = await startVendor();
  gateway = await startGateway(
    { PAILOU_WORKERS: String(count), PAILOU_GRACE_SECONDS: '2' },
    async (env) => (primary = await startProcess(env)),
  );
  await admin('POST', '/api/providers', { name: 'vendor', spec: { kind: 'openai-compatible', options: { base_url: vendor.url } } });
  const deployment = { provider: 'vendor', model: 'up', price };
  for (const name of ['many', 'few', 'purse', 'changed', 'killed', 'split', 'last', 'kept', 'narrow'])
    await admin('POST', '/api/models', {
      name,
      spec: {
        deployments: [name === 'narrow' ? { ...deployment, limits: { concurrency: 2 } } : deployment],
        ...(name === 'kept' ? { cache: { ttl_seconds: 60 } } : {}),
      },
    });
  await admin('POST', '/api/grants', { spec: grant });
  for (let index = 0; index < count; index++) connections.push(new Connection(gateway.url));
});
afterAll(async () => {
  for (const connection of connections) connection.close();
  await gateway[Symbol.asyncDispose]();
  await vendor[Symbol.asyncDispose]();
});

describe('limits over all workers', () => {
  it('of 40 calls at once on a limit of 10 a minute, exactly 10 go through', async () => {
    await limit('ten', { subject_type: 'user', capability: 'model/many', requests_per_minute: 10 });
    const before = await served();
    const answers = await Promise.all(Array.from({ length: 40 }, () => ask('user', 'many')));
    expect(statuses(answers)).toEqual({ 200: 10, 429: 30 });
    const after = await served();
    expect(
      after.filter((runs, worker) => runs > (before[worker] ?? 0)),
      'every worker has served some',
    ).toHaveLength(count);
    const refused = answers.find(({ status }) => status === 429);
    expect(refused?.json.error).toMatchObject({
      code: 'rate_limited',
      message: expect.stringContaining('"ten" allows 10 requests a minute'),
    });
    expect(refused?.headers.get('x-ratelimit-remaining-requests')).toBe('0');
    expect((await gateway.as('admin', 'GET', '/metrics')).text).toContain('pailou_limit_refusals_total{limit="ten",measure="requests"} 30');
  });

  it('concurrency is counted for all, and a slot is free again after its call', async () => {
    await limit('three', { subject_type: 'user', capability: 'model/few', concurrent_calls: 3 });
    const waiting: (() => void)[] = [];
    vendor.behave((request, response) => void waiting.push(() => answerOk(request, response)));
    const asked = Array.from({ length: 16 }, () => ask('user', 'few'));
    const refused: unknown[] = [];
    for (const one of asked) one.then(({ status }) => status === 429 && refused.push(one)).catch(() => {});
    await eventually(
      async () => refused.length + waiting.length,
      (known) => known === 16,
    );
    expect(waiting).toHaveLength(3);
    for (const answer of waiting.splice(0)) answer();
    expect(statuses(await Promise.all(asked))).toEqual({ 200: 3, 429: 13 });
    vendor.behave((request, response) => answerOk(request, response));
    const next = await eventually(
      () => ask('user', 'few'),
      ({ status }) => status === 200,
    );
    expect(next.status).toBe(200);
  });

  it('a budget is never overrun, whichever workers spend it', async () => {
    await limit('purse', { subject_type: 'user', capability: 'model/purse', spend: { currency: 'USD', per_day: '0.05' } });
    const answers = await Promise.all(Array.from({ length: 24 }, () => ask('user', 'purse', { max_tokens: 2 })));
    expect(statuses(answers)).toEqual({ 200: 5, 429: 19 });
  });

  it('the concurrency of a deployment is counted for all', async () => {
    const waiting: (() => void)[] = [];
    vendor.behave((request, response) => void waiting.push(() => answerOk(request, response)));
    const asked = Array.from({ length: 8 }, () => ask('user', 'narrow'));
    const refused: unknown[] = [];
    for (const one of asked) one.then(({ status }) => status !== 200 && refused.push(one)).catch(() => {});
    await eventually(
      async () => waiting.length,
      (known) => known === 2,
    );
    vendor.behave((request, response) => answerOk(request, response));
    for (const answer of waiting.splice(0)) answer();
    await Promise.all(asked);
    expect(waiting).toHaveLength(0);
  });
});

describe('a change', () => {
  it('is served by every worker, and the list of nodes proves it', async () => {
    await admin('PATCH', '/api/models/changed', { spec: { description: 'new' } });
    const { revision } = await admin('GET', '/api/config/revision');
    const { nodes } = await eventually(
      () => admin('GET', '/api/config/revision'),
      ({ nodes: all }) => all.every((node: { revision: number }) => node.revision >= Number(revision)),
    );
    expect(nodes).toHaveLength(count + 1);
  });

  it('a revoked key is refused on every connection as soon as it is revoked', async () => {
    const { id, key } = await admin('POST', '/api/keys', { title: 'k' });
    const call = (connection: Connection) =>
      connection.ask('POST', '/v1/chat/completions', { authorization: `Bearer ${key}` }, hello('split'));
    for (const connection of connections) expect((await call(connection)).status).toBe(200);
    await admin('DELETE', `/api/keys/${id}`);
    for (const connection of connections) expect((await call(connection)).status).toBe(401);
  });

  it('a model can be called on every connection as soon as it is made, and not after it is deleted', async () => {
    const headers = await bearer('user');
    await admin('POST', '/api/models', { name: 'fresh', spec: { deployments: [{ provider: 'vendor', model: 'up' }] } });
    for (const connection of connections)
      expect((await connection.ask('POST', '/v1/chat/completions', headers, hello('fresh'))).status).toBe(200);
    await admin('DELETE', '/api/models/fresh');
    for (const connection of connections)
      expect((await connection.ask('POST', '/v1/chat/completions', headers, hello('fresh'))).status).toBe(404);
  });

  it('a blocked person is refused on every connection', async () => {
    const headers = await bearer('user');
    const { data } = await admin('GET', '/api/people');
    const { id } = data.find(({ username }: { username: string }) => username === 'user');
    await admin('POST', `/api/people/${encodeURIComponent(id)}/block`, { reason: 'test' });
    for (const connection of connections) {
      const answer = await eventually(
        () => connection.ask('POST', '/v1/chat/completions', headers, hello('split')),
        ({ status }) => status !== 200,
      );
      expect(answer.status).toBe(403);
    }
    await admin('POST', `/api/people/${encodeURIComponent(id)}/unblock`);
    for (const connection of connections)
      await eventually(
        () => connection.ask('POST', '/v1/chat/completions', headers, hello('split')),
        ({ status }) => status === 200,
      );
  });
});

describe('state that one process has', () => {
  it('an MCP session is served on every connection', async () => {
    const headers = { ...(await bearer('developer')), accept: 'application/json, text/event-stream' };
    const rpc = (method: string, params: object = {}) => ({ jsonrpc: '2.0', id: 1, method, params });
    const [first] = connections;
    const opened = await first?.ask(
      'POST',
      '/mcp',
      headers,
      rpc('initialize', { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: { name: 't', version: '1' } }),
    );
    const session = String(opened?.headers['mcp-session-id']);
    expect(opened?.status, opened?.text).toBe(200);
    for (const connection of connections) {
      const listed = await connection.ask(
        'POST',
        '/mcp',
        { ...headers, 'mcp-session-id': session, 'mcp-protocol-version': '2025-06-18' },
        rpc('tools/list'),
      );
      expect(listed.text).toContain('skill__demo-greeting');
    }
  });

  it('a stored response is read on every connection', async () => {
    const headers = await bearer('user');
    const [first] = connections;
    const made = await first?.ask('POST', '/v1/responses', headers, { model: 'split', input: 'Hi' });
    const { id } = JSON.parse(made?.text ?? '') as { id: string };
    for (const connection of connections) {
      expect((await connection.ask('GET', `/v1/responses/${id}`, headers)).status).toBe(200);
      const next = await connection.ask('POST', '/v1/responses', headers, { model: 'split', input: 'And?', previous_response_id: id });
      expect(next.status, next.text).toBe(200);
    }
  });

  it('a background run is followed on every connection', async () => {
    const headers = await bearer('developer');
    const [first] = connections;
    const started = await first?.ask('POST', '/v1/skills/demo-greeting/runs', headers, { input: { name: 'Lin' }, async: true });
    expect(started?.status, started?.text).toBe(202);
    const { id } = JSON.parse(started?.text ?? '') as { id: string };
    for (const connection of connections)
      await eventually(
        async () => JSON.parse((await connection.ask('GET', `/v1/runs/${id}`, headers)).text),
        ({ status }) => status === 'completed',
      );
  });

  it('a cached answer is found on every connection', async () => {
    const headers = await bearer('user');
    const question = { ...hello('kept'), temperature: 0 };
    const before = vendor.requests.length;
    const hits: unknown[] = [];
    for (const connection of connections)
      hits.push((await connection.ask('POST', '/v1/chat/completions', headers, question)).headers['x-pailou-cache']);
    expect(hits).toEqual(['miss', 'hit', 'hit', 'hit']);
    expect(vendor.requests.length).toBe(before + 1);
  });

  it('the networks of a key count with the address of the caller, also where a call is relayed, and nobody can claim another', async () => {
    const near = await admin('POST', '/api/keys', { title: 'near', addresses: ['127.0.0.0/8'] });
    const far = await admin('POST', '/api/keys', { title: 'far', addresses: ['10.0.0.0/8'] });
    for (const path of ['/v1/models', '/v1/models/split']) {
      expect((await gateway.as(null, 'GET', path, undefined, { authorization: `Bearer ${near.key}` })).status).toBe(200);
      const claimed = { authorization: `Bearer ${far.key}`, 'x-pailou-caller-address': '10.0.0.1' };
      expect((await gateway.as(null, 'GET', path, undefined, claimed)).status).toBe(403);
    }
  });

  it('a caller who leaves a relayed stream ends the call of the vendor', async () => {
    const { aborts } = vendor;
    vendor.behave((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const chunk of chunks(['a ', 'b ']).slice(0, 2)) response.write(chunk);
    });
    const leaving = new AbortController();
    const answer = await fetch(`${gateway.url}/v1/chat/completions`, {
      method: 'POST',
      headers: { ...(await bearer('user')), 'content-type': 'application/json' },
      body: JSON.stringify({ ...hello('kept'), stream: true, user: 'leaving' }),
      signal: leaving.signal,
    });
    const reader = answer.body?.getReader();
    expect((await reader?.read())?.done).toBe(false);
    leaving.abort();
    await eventually(
      async () => vendor.aborts,
      (now) => now === aborts + 1,
    );
    vendor.behave((request, response) => answerOk(request, response));
  });

  it('connections are shared out evenly', async () => {
    const before = await served();
    const answers = await Promise.all(Array.from({ length: 40 }, () => ask('developer', 'split')));
    expect(statuses(answers)).toEqual({ 200: 40 });
    const after = await eventually(
      served,
      (now) => now.reduce((sum, runs) => sum + runs, 0) >= before.reduce((sum, runs) => sum + runs, 0) + 40,
    );
    for (const [worker, runs] of after.entries()) expect(runs - (before[worker] ?? 0)).toBeLessThanOrEqual(16);
  });
});

describe('a worker that is killed', () => {
  it('is replaced; its calls are in the ledger once, and the streams of the others go on', async () => {
    const open: ServerResponse[] = [];
    vendor.behave((request, response) => {
      if (request.body.stream === true) {
        response.writeHead(200, { 'content-type': 'text/event-stream' });
        for (const chunk of chunks(['one ', 'two ']).slice(0, 2)) response.write(chunk);
      }
      open.push(response);
    });
    const headers = await bearer('user');
    const others = connections.map(() => new Connection(gateway.url));
    const streams = connections.map((connection) =>
      connection.ask('POST', '/v1/chat/completions', headers, hello('killed', { stream: true })),
    );
    const whole = others.map((connection) =>
      connection.ask('POST', '/v1/chat/completions', headers, hello('killed')).catch((thrown: Error) => thrown),
    );
    await eventually(
      async () => open.length,
      (calls) => calls === 2 * count,
    );
    // The first token has been passed on, so that the streams are noted.
    const before = workers();
    expect(before).toHaveLength(count);
    process.kill(before[0] ?? 0, 'SIGKILL');
    await eventually(
      async () => workers(),
      (now) => now.length === count && !now.includes(before[0] ?? 0),
    );
    for (const response of open) {
      if (response.headersSent) response.end(chunks(['one ', 'two ']).slice(2).join(''));
      else answerOk({ path: '', headers: {}, body: {}, raw: '' }, response);
    }
    const ended = await Promise.all(streams);
    expect(ended.filter(({ isCut }) => isCut)).toHaveLength(1);
    expect(ended.filter(({ text }) => text.includes('[DONE]'))).toHaveLength(count - 1);
    const answers = await Promise.all(whole);
    expect(answers.filter((answer) => answer instanceof Error)).toHaveLength(1);
    const runs = await eventually(
      () => runsOf('model/killed'),
      (all) => all.length === 2 * count,
    );
    expect(runs.filter(({ outcome }) => outcome === 'complete')).toHaveLength(2 * count - 2);
    expect(runs.filter(({ error }) => error === 'node_lost')).toHaveLength(2);
    vendor.behave((request, response) => answerOk(request, response));
    await eventually(
      async () => statuses(await Promise.all(Array.from({ length: 8 }, () => ask('user', 'killed')))),
      (all) => all['200'] === 8,
    );
    await eventually(
      () => runsOf('model/killed'),
      (all) => all.length === 2 * count + 8,
    );
    for (const connection of others) connection.close();
  });
});

describe('the stop', () => {
  it('ends streams whole within the grace and the others explicitly, records all, and leaves no process', async () => {
    const open: ServerResponse[] = [];
    vendor.behave((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      for (const chunk of chunks(['one ', 'two ']).slice(0, 2)) response.write(chunk);
      open.push(response);
    });
    const headers = await bearer('user');
    const fresh = Array.from({ length: count }, () => new Connection(gateway.url));
    const streams = fresh.map((connection) => connection.ask('POST', '/v1/chat/completions', headers, hello('last', { stream: true })));
    await eventually(
      async () => open.length,
      (calls) => calls === count,
    );
    const pids = workers();
    process.kill(primary.pid, 'SIGTERM');
    for (const response of open.slice(0, 2)) response.end(chunks(['one ', 'two ']).slice(2).join(''));
    const ended = await Promise.all(streams);
    const endOf = ({ text, isCut }: (typeof ended)[number]): string => {
      const end = /shutting_down/.exec(text)?.[0] ?? (text.includes('"error"') ? text : /\[DONE\]/.exec(text)?.[0]) ?? text;
      return isCut ? `cut: ${end}` : end;
    };
    expect(ended.map(endOf).toSorted()).toEqual(['[DONE]', '[DONE]', 'shutting_down', 'shutting_down']);
    await eventually(
      async () => primary.exitCode(),
      (code) => code !== null,
    );
    expect(primary.exitCode(), primary.output()).toBe(0);
    await eventually(
      async () => pids.filter((pid) => existsSync(`/proc/${pid}`)),
      (left) => left.length === 0,
    );
    await using after = await startGateway({
      PAILOU_DATA_DIR: gateway.dataDir,
      PAILOU_IDENTITY_PORT: gateway.env['PAILOU_IDENTITY_PORT'] ?? '',
    });
    const runs = () => after.as('admin', 'GET', '/api/runs?capability=model/last');
    // What a busy machine left in a file at the stop is in the ledger a moment after the start.
    const { json } = await eventually(runs, ({ json: found }) => found.data.length >= count);
    const errors = json.data.map(({ error }: { error: string | null }) => String(error)).toSorted();
    expect(errors).toEqual(['null', 'null', 'shutting_down', 'shutting_down']);
  });
});

it('a bad number of workers is refused with the remedy', async () => {
  for (const bad of ['0', '65', 'all', '1.5'])
    await expect(startPailou({ PAILOU_WORKERS: bad })).rejects.toThrow(/PAILOU_WORKERS.*auto or a whole number from 1 to 64/s);
});
