/** The gate and the bundled example server, with the real client of both protocol eras. */
import { createServer, IncomingMessage, ServerResponse } from 'node:http';
import { Socket } from 'node:net';
import { join } from 'node:path';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { describe, expect, it } from 'vitest';
import { evaluate } from '../../../examples/mcp-server/calculator.ts';
import type { McpView } from '../../../src/extensions/mcp/gate/mcp-view.ts';
import { createMcpGate } from '../../../src/extensions/mcp/gate/gate.ts';
import stdio from '../../../src/extensions/mcp/transports/stdio.ts';
import { GatewayError } from '../../../src/types/errors.ts';
import type { ToolDefinition } from '../../../src/types/tool-source.ts';
import { allowing, logger, offering, principal } from './services.ts';

const add: ToolDefinition = {
  name: 'demo__add',
  description: 'Adds.',
  inputSchema: { type: 'object', properties: { a: { type: 'number', 'x-unknown': true } }, required: ['a'] },
  annotations: { readOnlyHint: true },
};

async function openGate(view: Partial<McpView>) {
  const gate = createMcpGate({ logger, version: '1.0.0', quietMs: 10_000 });
  const unused = () => Promise.reject(new Error('unused'));
  const whole: McpView = {
    holder: 'tester',
    scope: 'default /mcp',
    offer: () => Promise.resolve(offering(add)),
    call: unused,
    ask: unused,
    watch: () => () => {},
    ...view,
  };
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on('data', (part: Buffer) => parts.push(part));
    request.on('end', () => {
      const text = Buffer.concat(parts).toString();
      gate.serve(request, response, text === '' ? undefined : JSON.parse(text), whole, 'client').catch(() => response.destroy());
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    url: new URL(`http://127.0.0.1:${address.port}/mcp`),
    async [Symbol.asyncDispose]() {
      await gate.close();
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

it('the gate starts nothing for a client that left while the SDK was loading', async () => {
  const gate = createMcpGate({ logger, version: '1.0.0', quietMs: 10_000 });
  const body = { jsonrpc: '2.0', id: 1, method: 'tools/list' };
  const request = new IncomingMessage(new Socket());
  Object.assign(request, {
    method: 'POST',
    url: '/mcp',
    headers: { host: 'pailou', accept: 'application/json, text/event-stream', 'content-type': 'application/json' },
  });
  const response = new ServerResponse(request);
  let offers = 0;
  const view = {
    holder: 'tester',
    scope: 'default /mcp',
    offer: () => Promise.resolve((offers++, offering(add))),
    call: () => Promise.reject(new Error('unused')),
    ask: () => Promise.reject(new Error('unused')),
    watch: () => () => {},
  };
  const serving = gate.serve(request, response, body, view, 'client');
  response.destroy();
  await serving;
  expect(offers).toBe(0);
  await gate.close();
});

describe.each(['legacy', 'auto'] as const)('the gate, client %s', (mode) => {
  const connect = async (url: URL): Promise<Client> => {
    const client = new Client({ name: 'test', version: '1.0.0' }, { versionNegotiation: { mode } });
    await client.connect(new StreamableHTTPClientTransport(url));
    return client;
  };

  it('lists tools unchanged and forwards calls', async () => {
    await using gate = await openGate({
      call: (name, input) => Promise.resolve({ content: [{ type: 'text', text: `${name} ${JSON.stringify(input)}` }] }),
    });
    const client = await connect(gate.url);
    expect((await client.listTools()).tools).toMatchObject([add]);
    expect((await client.callTool({ name: 'demo__add', arguments: { a: 1 } })).content).toEqual([
      { type: 'text', text: 'demo__add {"a":1}' },
    ]);
    await client.close();
  });

  it('returns an error for an unknown or denied tool, and a failed result for a failed call', async () => {
    let error = new GatewayError('permission_denied', 'You may not.');
    await using gate = await openGate({ call: () => Promise.reject(error) });
    const client = await connect(gate.url);
    await expect(client.callTool({ name: 'demo__add', arguments: { a: 1 } })).rejects.toThrow('You may not.');
    error = new GatewayError('tool_failed', 'It is down.');
    expect(await client.callTool({ name: 'demo__add', arguments: { a: 1 } })).toMatchObject({
      isError: true,
      content: [{ type: 'text', text: 'It is down.' }],
    });
    await client.close();
  });

  it('hides the cause of an internal error', async () => {
    await using gate = await openGate({ call: () => Promise.reject(new Error('secret detail')) });
    const client = await connect(gate.url);
    const result = await client.callTool({ name: 'demo__add', arguments: { a: 1 } });
    expect(result.isError).toBe(true);
    expect(JSON.stringify(result)).not.toContain('secret detail');
    await client.close();
  });
});

describe('the example server', () => {
  const server = join(import.meta.dirname, '../../../examples/mcp-server/server.ts');

  it('returns the time and calculates', async () => {
    await using source = await stdio.create(stdio.options.parse({ command: 'node', args: [server] }), allowing('node', [server]));
    const context = { signal: AbortSignal.timeout(120_000), principal, runId: 'r' };
    expect((await source.list(context.signal)).tools.map((tool) => tool.name)).toEqual(['current_time', 'calculate']);
    expect(JSON.stringify(await source.call('calculate', { expression: '(1 + 2) * 3.5 ^ 2' }, context))).toContain('36.75');
    expect(await source.call('calculate', { expression: '1 +' }, context)).toMatchObject({ isError: true });
    expect(JSON.stringify(await source.call('current_time', { timezone: 'Asia/Shanghai' }, context))).toMatch(/20\d\d/);
    expect(await source.call('current_time', { timezone: 'Nowhere/Land' }, context)).toMatchObject({ isError: true });
  });

  it.each([
    ['2 ^ 3 ^ 2', 512],
    ['-2 ^ 2', -4],
    ['2 ^ -1', 0.5],
    ['10 - 4 - 3', 3],
    ['7 % 4 * 2', 6],
    ['1.5e3 / (2 + 1)', 500],
    ['--1', 1],
    ['.5 + .25', 0.75],
  ])('calculates %s', (expression, value) => expect(evaluate(expression)).toBe(value));

  it.each(['', '1 2', '(1', '1)', 'process.exit()', '1 / 0', '1e999', '()'])('refuses %j with a sentence', (expression) => {
    expect(() => evaluate(expression)).toThrow(/ends too early|is not expected|no finite value/);
  });

  it('refuses too deeply nested brackets with a sentence too', () => {
    expect(() => evaluate(`${'('.repeat(100_000)}1`)).toThrow(Error);
  });
});
