/** A worker process that hangs is ended and replaced: its calls end, each is in the ledger once, and the gateway serves on. */
import { execFileSync } from 'node:child_process';
import { expect, it } from 'vitest';
import { Connection } from './connection.ts';
import { eventually, startGateway, startProcess } from './gateway.ts';
import { chunks, startVendor } from './vendor.ts';

const chat = '/v1/chat/completions';

const workersOf = (pid: number): number[] =>
  execFileSync('ps', ['-o', 'pid=,args=', '--ppid', String(pid)], { encoding: 'utf8' })
    .split('\n')
    .filter((line) => /worker\.[tj]s/.test(line))
    .map((line) => Number.parseInt(line, 10));

it('ends the calls of a worker that hangs, records each once, and starts another', async () => {
  await using vendor = await startVendor();
  let pid = 0;
  await using gateway = await startGateway({ PAILOU_WORKERS: '2' }, async (env) => {
    const program = await startProcess(env);
    ({ pid } = program);
    return program;
  });
  await gateway.as('admin', 'POST', '/api/providers', {
    name: 'vendor',
    spec: { kind: 'openai-compatible', options: { base_url: vendor.url } },
  });
  await gateway.as('admin', 'POST', '/api/models', { name: 'slow', spec: { deployments: [{ provider: 'vendor', model: 'up' }] } });
  await gateway.as('admin', 'POST', '/api/grants', {
    spec: { subject_type: 'role', subject: 'user', capability: 'model/*', action: 'use' },
  });
  const headers = { authorization: `Bearer ${await gateway.token('user')}` };
  const finish: (() => void)[] = [];
  vendor.behave((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const parts = chunks(['a ', 'b ', 'c']);
    response.write(parts.slice(0, 2).join(''));
    finish.push(() => response.end(parts.slice(2).join('')));
  });
  const connections = Array.from({ length: 8 }, () => new Connection(gateway.url));
  // The first call of a tenant in each worker is served by the primary process.
  for (const connection of connections)
    expect(await connection.ask('POST', chat, headers, { model: 'demo/echo', messages: [{ role: 'user', content: 'Hi' }] })).toMatchObject({
      status: 200,
    });
  const body = { model: 'slow', stream: true, messages: [{ role: 'user', content: 'Hi' }] };
  const asked = connections.map((connection) => connection.ask('POST', chat, headers, body));
  await eventually(
    async () => finish.length,
    (count) => count === 8,
  );
  const before = workersOf(pid);
  process.kill(before[0] ?? 0, 'SIGSTOP');
  // Only a working process can pass on what the vendor says.
  for (const end of finish) end();
  const replies = await Promise.all(asked);
  const cut = replies.filter(({ isCut }) => isCut);
  expect(cut.length, 'the calls of the worker that hangs').toBeGreaterThan(0);
  expect(cut.length, 'the calls of the other worker').toBeLessThan(8);
  for (const { text, isCut } of replies) expect(text.includes('[DONE]'), text).toBe(!isCut);
  await eventually(
    async () => workersOf(pid).filter((each) => !before.includes(each)).length,
    (count) => count === 1,
  );
  const runs = await eventually(
    async () => (await gateway.as('admin', 'GET', '/api/runs?capability=model/slow')).json.data as { error: string | null }[],
    (found) => found.length === 8,
  );
  const errors = runs.map(({ error }) => error ?? 'complete').sort();
  const expected = replies.map(({ isCut }) => (isCut ? 'node_lost' : 'complete')).sort();
  expect(errors).toEqual(expected);
  for (const connection of connections) connection.close();
});
