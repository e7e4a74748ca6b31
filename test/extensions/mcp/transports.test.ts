/** MCP over stdio and HTTP against the real `server-everything`: calls, crashes, recovery and the child's environment. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import http from '../../../src/extensions/mcp/transports/http.ts';
import stdio from '../../../src/extensions/mcp/transports/stdio.ts';
import type { ToolResult, ToolSource } from '../../../src/types/tool-source.ts';
import { eventually, freePort } from '../../whole/gateway.ts';
import { allowing, principal, services } from './services.ts';

const everything = join(import.meta.dirname, '../../node_modules/@modelcontextprotocol/server-everything/dist/index.js');

const textOf = (result: ToolResult): string => result.content.map(({ text }) => (typeof text === 'string' ? text : '')).join('');
const context = (signal: AbortSignal = AbortSignal.timeout(120_000)) => ({ signal, principal, runId: 'run' });

async function overStdio(options: { args?: readonly string[]; env?: Record<string, string> } = {}): Promise<ToolSource> {
  const line = { command: 'node', args: [everything, 'stdio'], ...options };
  return stdio.create(stdio.options.parse(line), allowing(line.command, line.args, Object.keys(line.env ?? {})));
}

/** Process ids of this process's children that run `marker`. */
function childrenOf(marker: string): number[] {
  return execFileSync('ps', ['-e', '-ww', '-o', 'pid=,ppid=,args='])
    .toString()
    .split('\n')
    .map((line) => line.trim().split(/\s+/))
    .filter(([, parent, ...args]) => Number(parent) === process.pid && args.join(' ').includes(marker))
    .map(([pid]) => Number(pid));
}

describe('stdio', () => {
  it('lists and calls tools, and one connection serves many calls', async () => {
    await using source = await overStdio({ args: [everything, 'stdio', 'once'] });
    const [{ tools }, ...answers] = await Promise.all([
      source.list(AbortSignal.timeout(120_000)),
      source.call('echo', { message: 'one' }, context()),
      source.call('echo', { message: 'two' }, context()),
    ]);
    expect(tools.map((tool) => tool.name)).toContain('echo');
    expect(answers.map(textOf)).toEqual(['Echo: one', 'Echo: two']);
    expect(childrenOf('stdio once')).toHaveLength(1);
  });

  it('recovers from kill -9 with exactly one new process, also when many calls notice at once', async () => {
    const source = await overStdio({ args: [everything, 'stdio', 'crash'] });
    for (let round = 0; round < 2; round++) {
      await source.call('echo', { message: 'x' }, context());
      for (const pid of childrenOf('stdio crash')) process.kill(pid, 'SIGKILL');
      // Lists are retried, calls are not: each list notices the loss and needs a new connection.
      const lists = await Promise.all(Array.from({ length: 4 }, () => source.list(AbortSignal.timeout(120_000))));
      for (const { tools } of lists) expect(tools.map((tool) => tool.name)).toContain('echo');
      const answer = await eventually(
        () => source.call('echo', { message: 'again' }, context()).then(textOf, (error: Error) => error.message),
        (text) => text === 'Echo: again',
      );
      expect(answer).toBe('Echo: again');
      expect(childrenOf('stdio crash')).toHaveLength(1);
    }
    await source[Symbol.asyncDispose]();
    await eventually(
      () => Promise.resolve(childrenOf('stdio crash')),
      (left) => left.length === 0,
    );
  });

  it('closes only when the program is gone, also one that must be killed', async () => {
    const stubborn = `process.on('SIGTERM', () => {}); setInterval(() => {}, 1000); import(${JSON.stringify(everything)})`;
    const source = await overStdio({ args: ['-e', stubborn, 'index.js', 'stdio', 'stubborn'] });
    await source.call('echo', { message: 'x' }, context());
    const [pid = 0] = childrenOf('stdio stubborn');
    await source[Symbol.asyncDispose]();
    expect(() => process.kill(pid, 0)).toThrow('ESRCH');
  });

  it('gives a child PATH, HOME and the variables of the row, nothing else', async () => {
    process.env['PAILOU_MASTER_KEY_OF_TEST'] = 'must not leak';
    process.env['USER'] ??= 'somebody';
    await using source = await overStdio({ env: { GIVEN: 'yes' } });
    const seen = JSON.parse(textOf(await source.call('get-env', {}, context()))) as Record<string, string>;
    delete process.env['PAILOU_MASTER_KEY_OF_TEST'];
    expect(seen['GIVEN']).toBe('yes');
    expect(Object.keys(seen).filter((name) => !['PATH', 'HOME', 'GIVEN'].includes(name) && name in process.env)).toEqual([]);
  });

  it('refuses a command line that the operator did not allow', () => {
    const given = stdio.options.parse({ command: 'sh', args: ['-c', 'true'] });
    for (const others of [allowing('sh', []), allowing('node', ['-c', 'true']), allowing('sh', ['-c', 'true', 'x'])])
      expect(() => stdio.create(given, others)).toThrow(/PAILOU_STDIO_PROGRAMS/);
  });

  it('is tool_failed for a program that is not an MCP server', async () => {
    await using source = await overStdio({ args: ['-e', 'process.exit(3)'] });
    await expect(source.list(AbortSignal.timeout(120_000))).rejects.toMatchObject({ code: 'tool_failed' });
  });

  it('releases a caller who leaves during an endless handshake', async () => {
    await using source = await overStdio({ args: ['-e', 'setInterval(() => {}, 1000) // endless'] });
    const leaving = new AbortController();
    const gone = new Error('gone');
    const outcome = source.call('echo', { message: 'x' }, context(leaving.signal)).catch((error: unknown) => error);
    await eventually(
      () => Promise.resolve(childrenOf('// endless')),
      (children) => children.length === 1,
    );
    leaving.abort(gone);
    expect(await outcome).toBe(gone);
  });

  it('ends a call when its signal aborts, and the connection stays usable', async () => {
    await using source = await overStdio();
    await source.list(AbortSignal.timeout(120_000));
    const leaving = new AbortController();
    // The operation takes 30 seconds, and reports its first step after a tenth of a second.
    const peer = { connection: null, capabilities: {}, log: () => {}, progress: () => leaving.abort() };
    const long = source.call('trigger-long-running-operation', { duration: 30, steps: 300 }, { ...context(leaving.signal), peer });
    await expect(long).rejects.toThrow();
    expect(textOf(await source.call('echo', { message: 'still here' }, context()))).toBe('Echo: still here');
  });

  it('returns an invalid argument to the model as a failed result', async () => {
    await using source = await overStdio();
    const result = await source.call('get-sum', { a: 'no number' }, context());
    expect(result.isError).toBe(true);
    expect(textOf(result)).toMatch(/number/i);
  });
});

describe('Streamable HTTP', () => {
  let port: number;
  let server: ChildProcess;

  const start = async (): Promise<void> => {
    server = spawn(process.execPath, [everything, 'streamableHttp'], { env: { PORT: String(port) }, stdio: 'ignore' });
    await eventually(
      () =>
        fetch(`http://127.0.0.1:${port}/mcp`).then(
          (answer) => answer.status,
          () => 0,
        ),
      (status) => status > 0,
      10_000,
    );
  };
  const source = async (path = '/mcp'): Promise<ToolSource> =>
    http.create(http.options.parse({ url: `http://127.0.0.1:${port}${path}`, headers: { 'x-key': 'k' } }), services);

  beforeAll(async () => {
    port = await freePort();
    await start();
  });
  afterAll(() => server.kill('SIGKILL'));

  it('lists and calls tools', async () => {
    await using everywhere = await source();
    expect((await everywhere.list(AbortSignal.timeout(120_000))).tools.map((tool) => tool.name)).toContain('echo');
    expect(textOf(await everywhere.call('echo', { message: 'hello' }, context()))).toBe('Echo: hello');
  });

  it('opens a new session after the server was killed and restarted', async () => {
    await using everywhere = await source();
    await everywhere.call('echo', { message: 'before' }, context());
    server.kill('SIGKILL');
    await new Promise((resolve) => server.once('exit', resolve));
    await expect(everywhere.call('echo', { message: 'down' }, context())).rejects.toMatchObject({ code: 'tool_failed' });
    await start();
    const answer = await eventually(
      () => everywhere.call('echo', { message: 'after' }, context()).then(textOf, (error: Error) => error.message),
      (text) => text === 'Echo: after',
    );
    expect(answer).toBe('Echo: after');
  });

  it('repeats a call that a restarted server refused for its unknown session, without a failure to the caller', async () => {
    await using everywhere = await source();
    await everywhere.call('echo', { message: 'before' }, context());
    server.kill('SIGKILL');
    await new Promise((resolve) => server.once('exit', resolve));
    await start();
    expect(textOf(await everywhere.call('echo', { message: 'after' }, context()))).toBe('Echo: after');
  });

  it('never repeats a call that was lost in transit', async () => {
    let calls = 0;
    const cutter = createServer((socket) => {
      socket.on('error', () => {});
      socket.on('data', (data) => {
        const text = data.toString();
        const answer = (body: string): boolean =>
          socket.write(`HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`);
        if (text.includes('"tools/call"')) {
          calls++;
          socket.destroy();
        } else if (text.includes('"initialize"')) {
          const id = /"id":(\d+)/.exec(text)?.[1] ?? '0';
          const result = { protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo: { name: 'cutter', version: '1' } };
          answer(`{"jsonrpc":"2.0","id":${id},"result":${JSON.stringify(result)}}`);
        } else if (text.startsWith('POST')) socket.write('HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n');
        else socket.write('HTTP/1.1 405 Method Not Allowed\r\ncontent-length: 0\r\n\r\n');
      });
    });
    await new Promise<void>((resolve) => cutter.listen(0, '127.0.0.1', resolve));
    const address = cutter.address();
    if (address === null || typeof address === 'string') throw new Error('no port');
    const cut = await http.create(http.options.parse({ url: `http://127.0.0.1:${address.port}/mcp` }), services);
    await expect(cut.call('pay', { amount: 1 }, context())).rejects.toMatchObject({ code: 'tool_failed' });
    expect(calls).toBe(1);
    await cut[Symbol.asyncDispose]();
    cutter.close();
  });
});
