/** MCP servers that crash, hang, flood or lie, and clients that disconnect: other callers are unaffected, and nothing leaks. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, freePort, node, runEnv, startGateway, startProcess, type TestGateway } from './gateway.ts';
import { nodePrograms } from './stdio-programs.ts';

const everything = join(import.meta.dirname, '../node_modules/@modelcontextprotocol/server-everything/dist/index.js');
const marked = ['mortal', 'slow', 'visited', 'owned-session', 'orphan'];
/** A server whose tool `eat` holds as much memory as its argument says. */
const hungry = `
  const text = { inputSchema: { type: 'object' } };
  const held = [];
  const answers = {
    initialize: () => ({ protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'hungry', version: '1' } }),
    'tools/list': () => ({ tools: [{ name: 'echo', ...text }, { name: 'eat', ...text }] }),
    'tools/call': ({ name, arguments: { message, mb } }) => {
      if (name === 'eat') held.push(Buffer.alloc(mb * 1048576, 1));
      return { content: [{ type: 'text', text: String(message) }] };
    },
  };
  require('node:readline').createInterface({ input: process.stdin }).on('line', (line) => {
    const { id, method, params } = JSON.parse(line);
    if (id === undefined) return;
    const result = answers[method]?.(params);
    const error = result === undefined ? { error: { code: -32601, message: 'no such method' } } : { result };
    process.stdout.write(JSON.stringify({ jsonrpc: '2.0', id, ...error }) + String.fromCharCode(10));
  });
`;
const allowed = nodePrograms([
  ...marked.map((mark) => [everything, 'stdio', mark]),
  ['-e', 'process.exit(3)', 'crashing'],
  ['-e', hungry, 'hungry'],
]);
let gateway: TestGateway;
const owned = new AsyncDisposableStack();
beforeAll(async () => {
  gateway = owned.use(await startGateway(allowed));
});
afterAll(() => owned.disposeAsync());

async function register(name: string, spec: object): Promise<void> {
  const made = await gateway.as('admin', 'POST', '/api/mcp-servers', { name, spec });
  expect(made.status, made.text).toBe(201);
}
async function connect(path: string, options: ConstructorParameters<typeof Client>[1] = {}): Promise<Client & AsyncDisposable> {
  const client = new Client({ name: 'test', version: '1.0.0' }, options);
  const headers = { authorization: `Bearer ${await gateway.token('developer')}` };
  await client.connect(new StreamableHTTPClientTransport(new URL(`${gateway.url}${path}`), { requestInit: { headers } }));
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.close() });
}
const bypass = { cacheMode: 'bypass' } as const;
const knows = (client: Client, name: string) =>
  eventually(
    async () => (await client.listTools(undefined, bypass)).tools.some((tool) => tool.name === name),
    (is) => is,
    15_000,
  );
const echo = async (client: Client, message: string): Promise<string> =>
  JSON.stringify((await client.callTool({ name: 'echo', arguments: { message } })).content);

/** Children of this process, or of `parent`, whose command line contains `marker`. */
function childrenOf(marker: string, parent = process.pid): number[] {
  return execFileSync('ps', ['-e', '-ww', '-o', 'pid=,ppid=,args='])
    .toString()
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, ppid, ...args]) => Number(ppid) === parent && args.join(' ').includes(marker))
    .map(([pid]) => Number(pid));
}
const descriptors = (): number => readdirSync('/proc/self/fd').length;
const rpc = (method: string, params: object) => ({ jsonrpc: '2.0', id: 1, method, params });
const accept = { accept: 'application/json, text/event-stream' };

async function listen(handler: Parameters<typeof createServer>[1]): Promise<{ url: string; server: Server }> {
  const server = createServer(handler);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  owned.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/mcp`, server };
}

describe('a server that dies', () => {
  it('as a program, by kill -9: the next call succeeds within seconds, with one new process', async () => {
    await register('program', { kind: 'stdio', options: { command: 'node', args: [everything, 'stdio', 'mortal'] } });
    await using client = await connect('/mcp/program');
    await knows(client, 'echo');
    expect(await echo(client, 'one')).toContain('one');
    const [pid = 0] = childrenOf('mortal');
    process.kill(pid, 'SIGKILL');
    await eventually(
      () => echo(client, 'two').catch(String),
      (said) => said.includes('Echo: two'),
      5_000,
    );
    expect(childrenOf('mortal')).toHaveLength(1);
    expect(childrenOf('mortal')).not.toContain(pid);
  });

  it('as a restarted service: the next call succeeds within seconds', async () => {
    const port = await freePort();
    const start = async (): Promise<ChildProcess> => {
      const child = spawn(node, [everything, 'streamableHttp'], {
        env: { ...runEnv, PORT: String(port) },
        stdio: 'ignore',
      });
      owned.defer(() => void child.kill('SIGKILL'));
      await eventually(
        () =>
          fetch(`http://127.0.0.1:${port}/mcp`).then(
            () => true,
            () => false,
          ),
        (is) => is,
        15_000,
      );
      return child;
    };
    const first = await start();
    await register('service', { kind: 'http', options: { url: `http://127.0.0.1:${port}/mcp` } });
    await using client = await connect('/mcp/service');
    await knows(client, 'echo');
    expect(await echo(client, 'one')).toContain('one');
    first.kill('SIGKILL');
    await start();
    await eventually(
      () => echo(client, 'two').catch(String),
      (said) => said.includes('Echo: two'),
      5_000,
    );
  });

  it('because it exceeds its memory limit: it is stopped, and started again at the next call', async () => {
    const options = { command: 'node', args: ['-e', hungry, 'hungry'], memory_mb: 300 };
    await register('hungry', { kind: 'stdio', options });
    await using client = await connect('/mcp/hungry');
    await knows(client, 'echo');
    expect(await echo(client, 'one')).toContain('one');
    const [pid] = childrenOf('hungry');
    expect(pid).toBeDefined();
    await client.callTool({ name: 'eat', arguments: { mb: 500 } });
    await eventually(
      () => Promise.resolve(childrenOf('hungry')),
      (pids) => pid !== undefined && !pids.includes(pid),
    );
    // The call may meet the pause before the new start.
    await eventually(
      () => echo(client, 'two').catch(String),
      (said) => said.includes('two'),
    );
  });

  it('immediately after each start: it is restarted with a growing pause', async () => {
    await register('crashing', { kind: 'stdio', options: { command: 'node', args: ['-e', 'process.exit(3)', 'crashing'] } });
    let starts = 0;
    let last = 0;
    for (const until = Date.now() + 2_500; Date.now() < until;) {
      await gateway.as('admin', 'POST', '/api/mcp-servers/crashing/sync');
      const { json } = await gateway.as('admin', 'GET', '/api/mcp-servers/crashing/health');
      expect(json.error).not.toBeNull();
      const [pid = last] = childrenOf('crashing');
      if (pid !== last) starts++;
      last = pid;
    }
    expect(starts).toBeLessThan(8);
  });
});

describe('a server that does not behave', () => {
  it('and hangs does not delay listings of others', async () => {
    const { url } = await listen(() => {});
    await register('hung', { kind: 'http', options: { url }, call_timeout_ms: 500 });
    await using client = await connect('/mcp');
    await knows(client, 'demo__calculate');
    // The first list waits two seconds for a server that was never listed.
    await client.listTools(undefined, bypass);
    let least = Infinity;
    for (let round = 0; round < 20; round++) {
      const began = performance.now();
      const { tools } = await client.listTools(undefined, bypass);
      least = Math.min(least, performance.now() - began);
      expect(tools.length).toBeGreaterThan(0);
    }
    // A busy machine may delay some of the lists. Each would wait two seconds for the hung server.
    expect(least).toBeLessThan(1_900);
    await gateway.as('admin', 'DELETE', '/api/mcp-servers/hung');
  });

  it.each([
    ['answers garbage', 200, 'application/json', '<html>not JSON</html>'],
    ['answers JSON that means nothing', 200, 'application/json', '{"jsonrpc":"2.0","id":99999,"result":null}'],
    ['fails', 500, 'text/plain', 'stack trace with password=hunter2hunter2'],
    ['sends people away', 302, 'text/plain', ''],
  ])('and %s is reported as out of order, and only that', async (what, status, type, body) => {
    const { url } = await listen((_request, response) => {
      response.writeHead(status, { 'content-type': type, location: 'http://169.254.169.254/latest' });
      response.end(body);
    });
    const name = `odd-${what.replaceAll(/[^a-z]+/gi, '-').toLowerCase()}`;
    await register(name, { kind: 'http', options: { url }, call_timeout_ms: 1_000 });
    const { text } = await gateway.as('admin', 'POST', `/api/mcp-servers/${name}/sync`);
    expect(text).toMatch(/last connection to the MCP server failed|cannot be reached|did not answer within/);
    const list = await gateway.as('developer', 'POST', '/mcp', rpc('tools/list', {}), accept);
    expect(list.status).toBe(200);
    await gateway.as('admin', 'DELETE', `/api/mcp-servers/${name}`);
  });
});

describe('bounds of a row', () => {
  it('apply: a call ends within its limit, and concurrency is bounded', async () => {
    await register('slow', {
      kind: 'stdio',
      options: { command: 'node', args: [everything, 'stdio', 'slow'] },
      call_timeout_ms: 1_500,
      concurrency: 2,
    });
    await using client = await connect('/mcp/slow');
    await knows(client, 'trigger-long-running-operation');
    const run = (duration: number) => client.callTool({ name: 'trigger-long-running-operation', arguments: { duration, steps: 1 } });
    const late = await run(10);
    expect(late.isError).toBe(true);
    expect(JSON.stringify(late.content)).toContain('did not answer within 1500 ms');
    const began = Date.now();
    const all = await Promise.all([run(0.4), run(0.4), run(0.4), run(0.4)]);
    expect(all.map((each) => each.isError === true)).toEqual([false, false, false, false]);
    expect(Date.now() - began).toBeGreaterThan(750);
  });

  it('and the server is notified when a caller leaves', async () => {
    const cancelled: unknown[] = [];
    let streams = 0;
    const { url } = await listen((request, response) => {
      let text = '';
      request.on('data', (part) => (text += part));
      request.on('end', () => {
        const message = text === '' ? {} : (JSON.parse(text) as { id?: number; method?: string; params?: object });
        if (message.method === 'notifications/cancelled') cancelled.push(message.params);
        if (request.method === 'GET') return void response.writeHead(405).end();
        if (message.id === undefined) return void response.writeHead(202).end();
        const results: Record<string, object> = {
          initialize: { protocolVersion: '2025-11-25', capabilities: { tools: {} }, serverInfo: { name: 'x', version: '1' } },
          'tools/list': { tools: [{ name: 'wait', inputSchema: { type: 'object' } }] },
        };
        const result = results[message.method ?? ''];
        // The tool never answers.
        if (result === undefined) return void streams++;
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ jsonrpc: '2.0', id: message.id, result }));
      });
    });
    await register('waiting', { kind: 'http', options: { url } });
    await using client = await connect('/mcp/waiting');
    await knows(client, 'wait');
    const leaving = new AbortController();
    const call = client.callTool({ name: 'wait', arguments: {} }, { signal: leaving.signal });
    await eventually(
      async () => streams,
      (count) => count === 1,
      5_000,
    );
    leaving.abort();
    await expect(call).rejects.toThrow();
    await eventually(
      async () => cancelled.length,
      (count) => count === 1,
      5_000,
    );
  });
});

describe('clients that come and go', () => {
  it('leave no process, no connection and no session behind after two hundred visits', async () => {
    await register('visited', { kind: 'stdio', options: { command: 'node', args: [everything, 'stdio', 'visited'] } });
    await register('own', { kind: 'stdio', options: { command: 'node', args: [everything, 'stdio', 'owned-session'], sessions: 'user' } });
    const visit = async (path: string, options: ConstructorParameters<typeof Client>[1] = {}, end = false): Promise<void> => {
      const client = new Client({ name: 'visitor', version: '1' }, options);
      const headers = { authorization: `Bearer ${await gateway.token('developer')}` };
      const transport = new StreamableHTTPClientTransport(new URL(`${gateway.url}${path}`), { requestInit: { headers } });
      await client.connect(transport);
      await client.listTools();
      await client.callTool({ name: 'echo', arguments: { message: 'x' } });
      if (end) await transport.terminateSession();
      await client.close();
    };
    const asking = { capabilities: { elicitation: { form: {} } } };
    await using first = await connect('/mcp/visited');
    await knows(first, 'echo');
    await using second = await connect('/mcp/own');
    await knows(second, 'echo');
    await visit('/mcp/visited', {}, true);
    await visit('/mcp/own', asking, true);
    await eventually(
      async () => childrenOf('owned-session').length,
      (count) => count === 1,
      10_000,
    );
    const before = { children: childrenOf('').length, descriptors: descriptors() };
    for (let round = 0; round < 95; round++) {
      await visit('/mcp/visited', {}, true);
      await visit('/mcp/visited', { versionNegotiation: { mode: 'auto' } });
    }
    // Each session of this server has its own process.
    for (let round = 0; round < 10; round++) await visit('/mcp/own', asking, true);
    await eventually(
      async () => childrenOf('').length,
      (count) => count <= before.children,
      15_000,
    );
    await eventually(
      async () => descriptors(),
      (count) => count <= before.descriptors + 5,
      15_000,
    );
    const { data } = (await gateway.as('admin', 'GET', '/api/mcp-sessions')).json as { data: { client: string }[] };
    expect(data.filter((session) => session.client.startsWith('visitor'))).toEqual([]);
  });

  it('end with the gateway: SIGTERM leaves no child', async () => {
    await using other = await startGateway(allowed);
    const { env } = other;
    await other.gateway.close();
    const running = await startProcess(env);
    const spec = { kind: 'stdio', options: { command: 'node', args: [everything, 'stdio', 'orphan'] } };
    expect((await other.as('admin', 'POST', '/api/mcp-servers', { name: 'orphan', spec })).status).toBe(201);
    await eventually(
      async () => childrenOf('orphan', running.pid).length,
      (count) => count === 1,
      15_000,
    );
    const [child = 0] = childrenOf('orphan', running.pid);
    await running.close();
    expect(() => process.kill(child, 0)).toThrow(/ESRCH/);
  });
});
