/** The gate at /mcp after a start, at shutdown, and for unauthenticated clients. */
import { readFileSync } from 'node:fs';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { expect, it } from 'vitest';
import { eventually, startGateway } from './gateway.ts';
import { nodePrograms } from './stdio-programs.ts';

it('the first list after a start has the tools, and one dead server delays it only a little', async () => {
  const silent = { kind: 'stdio', options: { command: 'node', args: ['-e', 'setInterval(() => {}, 1000)'] } };
  await using gateway = await startGateway(nodePrograms([silent.options.args]));
  expect((await gateway.as('admin', 'POST', '/api/mcp-servers', { name: 'silent', spec: silent })).status).toBe(201);
  const client = new Client({ name: 'test', version: '1.0.0' });
  await client.connect(
    new StreamableHTTPClientTransport(new URL(`${gateway.url}/mcp`), {
      requestInit: { headers: { authorization: `Bearer ${await gateway.token('developer')}` } },
    }),
  );
  const started = Date.now();
  expect((await client.listTools()).tools.map((tool) => tool.name)).toEqual([
    'demo__calculate',
    'demo__current_time',
    'skill__demo-greeting',
  ]);
  // A call to the silent server would wait sixty.
  expect(Date.now() - started).toBeLessThan(45_000);
  await client.close();
});

it('a stop leaves no child process behind, not even one that never answered', async () => {
  const silent = {
    kind: 'stdio',
    options: { command: 'node', args: ['-e', "process.on('SIGTERM', () => {}); setInterval(() => {}, 1000)"] },
  };
  const children = (): string => readFileSync(`/proc/${process.pid}/task/${process.pid}/children`, 'utf8').trim();
  const before = children();
  await using owned = new AsyncDisposableStack();
  {
    await using gateway = await startGateway(nodePrograms([silent.options.args]));
    await gateway.as('admin', 'POST', '/api/mcp-servers', { name: 'silent', spec: silent });
    const messages = [{ role: 'user', content: 'What time is it?' }];
    const tools = [{ type: 'mcp', server_label: 'silent' }];
    const call = gateway.as('developer', 'POST', '/v1/chat/completions', { model: 'demo/tools', messages, tools }).catch(() => null);
    await eventually(
      async () => children(),
      (now) => now !== before,
    );
    owned.defer(async () => void (await call));
  }
  // The last signal was sent; the system may still list the process for a moment.
  await eventually(
    async () => children(),
    (now) => now === before,
  );
});

it('a page of another site cannot use its visitor’s browser session; one of our own can', async () => {
  await using gateway = await startGateway();
  const call = { jsonrpc: '2.0', id: 1, method: 'tools/list' };
  const headers = { accept: 'application/json, text/event-stream' };
  for (const origin of ['https://evil.example', 'null', 'http://127.0.0.1:1']) {
    const refused = await gateway.as('developer', 'POST', '/mcp', call, { ...headers, origin });
    expect(refused.status, origin).toBe(403);
    expect(refused.json.error).toMatchObject({ code: 'permission_denied', param: 'Origin' });
  }
  expect((await gateway.as('developer', 'POST', '/mcp', call, { ...headers, origin: gateway.url })).status).not.toBe(403);
});
