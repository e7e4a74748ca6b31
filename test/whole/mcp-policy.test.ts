/** Administrator policies for tools: limits, approvals, result sizes, and search mode. */
import { createServer } from 'node:http';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, McpServer } from '@modelcontextprotocol/server';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { eventually, startGateway, type TestGateway } from './gateway.ts';

/** The calls of the tools, in order. */
const called: string[] = [];

function buildUpstream(): McpServer {
  const server = new McpServer({ name: 'upstream', version: '1.0.0' });
  const text = (words: string) => ({ content: [{ type: 'text' as const, text: words }] });
  const note = (name: string) => async (input: Record<string, unknown>) => {
    called.push(`${name} ${JSON.stringify(input)}`);
    return text(`done ${name}`);
  };
  const inputSchema = z.object({ path: z.string().optional() });
  server.registerTool('look', { description: 'Looks at a file', inputSchema, annotations: { readOnlyHint: true } }, note('look'));
  server.registerTool(
    'erase',
    { description: 'Deletes a file for ever', inputSchema, annotations: { destructiveHint: true } },
    note('erase'),
  );
  server.registerTool('unmarked', { description: 'Nobody knows', inputSchema }, note('unmarked'));
  server.registerTool('flood', { description: 'Says much', inputSchema }, async () => text('x'.repeat(50_000)));
  return server;
}

let gateway: TestGateway;
let upstream: string;
const owned = new AsyncDisposableStack();
beforeAll(async () => {
  const handler = createMcpHandler(buildUpstream);
  const serve = toNodeHandler(handler);
  const server = createServer((request, response) => void serve(request as never, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  owned.defer(async () => {
    await handler.close();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  upstream = `http://127.0.0.1:${address.port}/mcp`;
  gateway = owned.use(await startGateway());
});
afterAll(() => owned.disposeAsync());

async function register(name: string, spec: Record<string, unknown> = {}): Promise<void> {
  const body = { name, spec: { kind: 'http', options: { url: upstream }, ...spec } };
  const made = await gateway.as('admin', 'POST', '/api/mcp-servers', body);
  expect(made.status, made.text).toBe(201);
}

async function connect(path: string, options: ConstructorParameters<typeof Client>[1] = {}): Promise<Client & AsyncDisposable> {
  const client = new Client({ name: 'test', version: '1.0.0' }, options);
  const headers = { authorization: `Bearer ${await gateway.token('developer')}` };
  await client.connect(new StreamableHTTPClientTransport(new URL(`${gateway.url}${path}`), { requestInit: { headers } }));
  await eventually(
    async () => (await client.listTools()).tools.length,
    (count) => count > 0,
  );
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.close() });
}
const textOf = (result: unknown): string => (result as { content: { text: string }[] }).content[0]?.text ?? '';

describe.each(['legacy', 'auto'] as const)('a tool that needs approval, client %s', (mode) => {
  const asking = (answer: 'yes' | 'no' | 'away'): ConstructorParameters<typeof Client>[1] => ({
    versionNegotiation: { mode },
    ...(answer === 'away' ? {} : { capabilities: { elicitation: { form: {} } } }),
  });
  const withAnswer = async (answer: 'yes' | 'no' | 'away', path: string, asked: string[] = []): Promise<Client & AsyncDisposable> => {
    const client = await connect(path, asking(answer));
    if (answer !== 'away')
      client.setRequestHandler('elicitation/create', async ({ params }) => {
        asked.push(params.message);
        return answer === 'yes' ? { action: 'accept' as const, content: { approve: true } } : { action: 'decline' as const };
      });
    return client;
  };

  it('runs after an approval, with the shown input; not after a denial; a harmless one runs without a question', async () => {
    const name = `careful-${mode}`;
    await register(name, { approval: 'destructive' });
    const asked: string[] = [];
    await using client = await withAnswer('yes', `/mcp/${name}`, asked);
    called.length = 0;
    expect(textOf(await client.callTool({ name: 'look', arguments: { path: 'a' } }))).toBe('done look');
    expect(asked).toEqual([]);
    expect(textOf(await client.callTool({ name: 'erase', arguments: { path: 'b' } }))).toBe('done erase');
    expect(asked).toHaveLength(1);
    expect(asked[0]).toContain(`${name}/erase`);
    expect(asked[0]).toContain('"path": "b"');
    // A tool without annotations is not trusted.
    expect(textOf(await client.callTool({ name: 'unmarked', arguments: {} }))).toBe('done unmarked');
    expect(asked).toHaveLength(2);
    expect(called).toEqual(['look {"path":"a"}', 'erase {"path":"b"}', 'unmarked {}']);

    await using refusing = await withAnswer('no', `/mcp/${name}`);
    called.length = 0;
    const refused = await refusing.callTool({ name: 'erase', arguments: { path: 'c' } });
    expect(refused.isError).toBe(true);
    expect(textOf(refused)).toContain('did not allow');
    await using silent = await withAnswer('away', `/mcp/${name}`);
    await expect(silent.callTool({ name: 'erase', arguments: { path: 'd' } })).rejects.toThrow(/cannot ask for one/);
    expect(called).toEqual([]);
  });
});

describe('an approval', () => {
  it('is valid only for the shown call, and cannot be forged', async () => {
    await register('sealed', { approval: 'always' });
    const { url } = gateway;
    const authorization = `Bearer ${await gateway.token('developer')}`;
    const call = async (input: object, extra: object = {}): Promise<{ result?: Record<string, unknown>; error?: { message: string } }> => {
      const meta = {
        'io.modelcontextprotocol/protocolVersion': '2026-07-28',
        'io.modelcontextprotocol/clientInfo': { name: 'raw', version: '1' },
        'io.modelcontextprotocol/clientCapabilities': { elicitation: { form: {} } },
      };
      const params = { name: 'erase', arguments: input, ...extra, _meta: meta };
      const answer = await fetch(`${url}/mcp/sealed`, {
        method: 'POST',
        headers: {
          authorization,
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
          'mcp-protocol-version': '2026-07-28',
          'mcp-method': 'tools/call',
          'mcp-name': 'erase',
        },
        body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params }),
      });
      return (await answer.json()) as never;
    };
    await connect('/mcp/sealed').then((client) => client.close());
    called.length = 0;
    const question = await call({ path: 'a' });
    expect(question.result?.['resultType']).toBe('input_required');
    const { requestState } = question.result as { requestState: string };
    const yes = { inputResponses: { pailou_approval: { action: 'accept', content: { approve: true } } } };
    // Without the state, with other input, and with a changed state: nothing runs.
    expect((await call({ path: 'a' }, yes)).result?.['resultType']).toBe('input_required');
    expect((await call({ path: 'other' }, { ...yes, requestState })).error?.message).toContain('not valid for this call');
    expect((await call({ path: 'a' }, { ...yes, requestState: `${requestState.slice(0, -2)}AA` })).error?.message).toContain('not valid');
    expect(called).toEqual([]);
    expect((await call({ path: 'a' }, { ...yes, requestState })).result?.['isError']).not.toBe(true);
    expect(called).toEqual(['erase {"path":"a"}']);
  });

  it('cannot be requested in a chat, and the model gets a note', async () => {
    const tools = [{ type: 'mcp', server_label: 'sealed' }];
    const answer = await gateway.as('developer', 'POST', '/v1/chat/completions', {
      model: 'demo/tools',
      messages: [{ role: 'user', content: 'look' }],
      tools,
    });
    expect(answer.status, answer.text).toBeLessThan(500);
    expect(called.filter((each) => !each.includes('"a"'))).toEqual([]);
  });
});

describe('limits of tools', () => {
  it('count a tool or all tools of a server, and no calls of others', async () => {
    await register('counted');
    const limit = { subject_type: 'user', capability: 'mcp/counted/look', requests_per_minute: 2 };
    const made = await gateway.as('admin', 'POST', '/api/limits', { name: 'few-looks', spec: limit });
    expect(made.status, made.text).toBe(201);
    await using client = await connect('/mcp');
    for (let round = 0; round < 2; round++) await client.callTool({ name: 'counted__look', arguments: {} });
    await expect(client.callTool({ name: 'counted__look', arguments: {} })).rejects.toThrow(/"few-looks" allows 2 requests a minute/);
    expect(textOf(await client.callTool({ name: 'counted__unmarked', arguments: {} }))).toBe('done unmarked');
    const all = { subject_type: 'tenant', capability: 'mcp/counted', requests_per_minute: 1 };
    expect((await gateway.as('admin', 'POST', '/api/limits', { name: 'few-calls', spec: all })).status).toBe(201);
    await client.callTool({ name: 'counted__unmarked', arguments: {} });
    await expect(client.callTool({ name: 'counted__unmarked', arguments: {} })).rejects.toThrow(/"few-calls"/);
  });

  it('have neither tokens nor money', async () => {
    const spec = { subject_type: 'tenant', capability: 'mcp/counted', tokens_per_minute: 5 };
    const refused = await gateway.as('admin', 'POST', '/api/limits', { name: 'odd', spec });
    expect(refused.status).toBe(400);
    expect(refused.text).toContain('neither tokens nor prices');
  });
});

describe('a result that is too large', () => {
  it('is refused with an error that a model can act on', async () => {
    await register('bounded', { max_result_bytes: 10_000 });
    await using client = await connect('/mcp/bounded');
    const result = await client.callTool({ name: 'flood', arguments: {} });
    expect(result.isError).toBe(true);
    expect(textOf(result)).toContain('larger than the 10000 bytes');
    expect(textOf(result).length).toBeLessThan(500);
  });
});

describe('the search mode', () => {
  it('offers two tools, finds tools by their description, and calls them', async () => {
    await register('found');
    await using client = await connect('/mcp/found?tools=search');
    expect((await client.listTools()).tools.map((tool) => tool.name)).toEqual(['search_tools', 'call_tool']);
    const found = await client.callTool({ name: 'search_tools', arguments: { query: 'delete files' } });
    const { tools } = found.structuredContent as { tools: { name: string; inputSchema: object }[] };
    expect(tools[0]?.name).toBe('erase');
    expect(tools[0]?.inputSchema).toMatchObject({ properties: { path: { type: 'string' } } });
    const answer = await client.callTool({ name: 'call_tool', arguments: { name: 'look', arguments: { path: 'x' } } });
    expect(textOf(answer)).toBe('done look');
    await expect(client.callTool({ name: 'call_tool', arguments: { name: 'nothing' } })).rejects.toThrow(/no tool "nothing"/);
    await expect(client.callTool({ name: 'search_tools', arguments: { query: 'x', limit: 1_000 } })).rejects.toThrow(/limit: must be/);
  });
});
