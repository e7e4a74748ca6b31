/** The stop of a node: it serves on while balancers learn of it, lets calls finish, and ends the rest with an explicit error. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { eventually, freePort, startGateway, startProcess } from './gateway.ts';
import { chunks, startVendor, type Vendor } from './vendor.ts';

type Started = Awaited<ReturnType<typeof startProcess>>;

/** The program that listens to signals before the gateway does. */
const program = join(import.meta.dirname, '../../bin/pailou.js');

/** A gateway of its own process with the model `slow` at `vendor`. */
async function startServing(vendor: Vendor, env: Record<string, string>) {
  let started: Started | undefined;
  const gateway = await startGateway(env, async (all) => (started = await startProcess(all, program)));
  await gateway.as('admin', 'POST', '/api/providers', {
    name: 'v',
    spec: { kind: 'openai-compatible', options: { base_url: vendor.url } },
  });
  await gateway.as('admin', 'POST', '/api/models', { name: 'slow', spec: { deployments: [{ provider: 'v', model: 'm' }] } });
  if (started === undefined) throw new Error('the gateway did not start');
  return { ...gateway, process: started };
}

async function openStream(gateway: { readonly url: string; token(role: 'developer'): Promise<string> }, path = '/v1/chat/completions') {
  const body = { model: 'slow', stream: true, max_tokens: 100, messages: [{ role: 'user', content: 'Hello' }] };
  const answer = await fetch(`${gateway.url}${path}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${await gateway.token('developer')}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (answer.status !== 200 || answer.body === null) throw new Error(await answer.text());
  const reader = answer.body.getReader();
  const first = await reader.read();
  const rest = async (): Promise<string> => {
    let text = Buffer.from(first.value ?? []).toString();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return text;
      text += Buffer.from(value).toString();
    }
  };
  return { rest };
}

it('serves on while it drains, and lets a call finish that began before or during the drain', async () => {
  await using vendor = await startVendor();
  const waiting: (() => void)[] = [];
  vendor.behave((_request, response) => {
    const [head = '', ...tail] = chunks(['one', ' two']);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(head);
    response.write(tail.shift());
    waiting.push(() => response.end(tail.join('')));
  });
  await using gateway = await startServing(vendor, { PAILOU_DRAIN_SECONDS: '600' });
  const before = await openStream(gateway);
  process.kill(gateway.process.pid, 'SIGTERM');
  const ready = () => fetch(`${gateway.url}/readyz`);
  const notReady = await eventually(ready, ({ status }) => status === 503);
  expect(await notReady.json()).toMatchObject({ status: 'stopping' });
  expect((await fetch(`${gateway.url}/livez`)).headers.get('connection')).toBe('close');
  const during = await openStream(gateway);
  for (const finish of waiting) finish();
  expect(await before.rest()).toMatch(/data: \[DONE\]\n\n$/);
  expect(await during.rest()).toMatch(/data: \[DONE\]\n\n$/);
  expect(gateway.process.exitCode()).toBeNull();
  process.kill(gateway.process.pid, 'SIGKILL');
});

it('lets calls finish when the terminal closes, also after nohup', async () => {
  await using vendor = await startVendor();
  let finish = (): void => {};
  vendor.behave((_request, response) => {
    const [head = '', ...tail] = chunks(['one', ' two']);
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(head);
    response.write(tail.shift());
    finish = () => response.end(tail.join(''));
  });
  await using gateway = await startServing(vendor, { PAILOU_DRAIN_SECONDS: '600' });
  const stream = await openStream(gateway);
  process.kill(gateway.process.pid, 'SIGHUP');
  await eventually(
    () => fetch(`${gateway.url}/readyz`),
    ({ status }) => status === 503,
  );
  finish();
  expect(await stream.rest()).toMatch(/data: \[DONE\]\n\n$/);
  process.kill(gateway.process.pid, 'SIGKILL');
});

it('ends calls that outlast the grace with an error event, whole calls with 503, and records both as shutting_down', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'pailou-shutdown-'));
  await using owned = new AsyncDisposableStack();
  owned.defer(() => rm(dataDir, { recursive: true, force: true }));
  const vendor = owned.use(await startVendor());
  vendor.behave((request, response) => {
    if (!JSON.stringify(request.body).includes('"stream":true')) return;
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    response.write(chunks(['one', ' two']).slice(0, 2).join(''));
  });
  const gateway = await startServing(vendor, { PAILOU_DATA_DIR: dataDir, PAILOU_GRACE_SECONDS: '1' });
  const chat = await openStream(gateway);
  const messages = await openStream(gateway, '/v1/messages');
  const seen = vendor.requests.length;
  const whole = gateway.as('developer', 'POST', '/v1/chat/completions', { model: 'slow', messages: [{ role: 'user', content: 'Hello' }] });
  await eventually(
    async () => vendor.requests.length,
    (count) => count > seen,
  );
  const stopped = gateway[Symbol.asyncDispose]();
  expect(await chat.rest()).toContain('"code":"shutting_down"');
  expect(await messages.rest()).toMatch(/event: error\n.*This node is stopping/s);
  const answer = await whole;
  expect([answer.status, answer.json.error.code, answer.headers.get('retry-after')]).toEqual([503, 'shutting_down', '1']);
  await stopped;
  expect(gateway.process.exitCode()).toBe(0);

  await using next = await startGateway({ PAILOU_DATA_DIR: dataDir });
  const runs = await next.as('admin', 'GET', '/api/runs?capability=model/slow');
  expect(runs.json.data.map((run: { outcome: string; error: string }) => [run.outcome, run.error])).toEqual(
    Array.from({ length: 3 }, () => ['error', 'shutting_down']),
  );
});

it.each([
  { signal: 'SIGTERM', command: 'npm', args: ['start'], workers: '1' },
  // Some shells that npx starts end at the signal and do not pass it on.
  { signal: 'SIGTERM', command: 'npx', args: ['pailou', 'start'], workers: '2' },
  // These end npm alone; the shell of npx stays.
  { signal: 'SIGKILL', command: 'npm', args: ['start'], workers: '1' },
  { signal: 'SIGKILL', command: 'npx', args: ['pailou', 'start'], workers: '1' },
  { signal: 'SIGHUP', command: 'npx', args: ['pailou', 'start'], workers: '1' },
] as const)('$command $args.0 ended by $signal leaves no gateway, and its port is free', async ({ signal, command, args, workers }) => {
  const dataDir = await mkdtemp(join(tmpdir(), 'pailou-npm-'));
  const [port, identityPort] = [await freePort(), await freePort()];
  const child = spawn(command, args, {
    cwd: join(import.meta.dirname, '../..'),
    env: {
      PATH: process.env['PATH'],
      HOME: dataDir,
      PAILOU_PORT: String(port),
      PAILOU_IDENTITY_PORT: String(identityPort),
      PAILOU_DATA_DIR: dataDir,
      PAILOU_WORKERS: workers,
    },
    stdio: 'ignore',
    detached: true,
  });
  const alive = () =>
    fetch(`http://127.0.0.1:${port}/livez`).then(
      ({ status }) => status,
      () => 0,
    );
  try {
    await eventually(alive, (status) => status === 200, 60_000);
    child.kill(signal);
    await once(child, 'exit');
    await eventually(alive, (status) => status === 0, 60_000);
  } finally {
    // An orphan of a failed stop stays in the process group of npm.
    try {
      process.kill(-(child.pid ?? Number.NaN), 'SIGKILL');
    } catch {
      // The group is empty.
    }
    await rm(dataDir, { recursive: true, force: true });
  }
});
