/** Permissions at the gate: under every name of an item, even within an open session. */
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Role } from '../../src/types/access.ts';
import { eventually, startGateway, type TestGateway } from './gateway.ts';
import { type ChangingUpstream, startChangingUpstream } from './mcp-upstream.ts';

const tool = (name: string) => ({ name, description: `does ${name}`, inputSchema: { type: 'object' } });
let gateway: TestGateway;
let upstream: ChangingUpstream;
const owned = new AsyncDisposableStack();
beforeAll(async () => {
  upstream = owned.use(
    await startChangingUpstream({
      tools: [tool('read'), tool('write')],
      resources: [
        { uri: 'post://a', name: 'a' },
        { uri: 'post://b', name: 'b' },
      ],
      prompts: [{ name: 'compose' }],
    }),
  );
  gateway = owned.use(await startGateway());
  for (const name of ['first', 'second']) {
    const made = await gateway.as('admin', 'POST', '/api/mcp-servers', { name, spec: { kind: 'http', options: { url: upstream.url } } });
    expect(made.status, made.text).toBe(201);
    await eventually(
      () => toolsOf(name),
      (count) => count === 2,
    );
  }
});
afterAll(() => owned.disposeAsync());

async function toolsOf(name: string): Promise<number> {
  return (await gateway.as('admin', 'POST', `/api/mcp-servers/${name}/sync`)).json.tools as number;
}

type Mode = 'legacy' | 'auto';
async function connect(
  role: Role,
  path: string,
  mode: Mode = 'legacy',
  onChange: () => void = () => {},
): Promise<Client & AsyncDisposable> {
  const changed = { autoRefresh: false, debounceMs: 0, onChanged: onChange };
  const client = new Client({ name: role, version: '1.0.0' }, { versionNegotiation: { mode }, listChanged: { tools: changed } });
  const headers = { authorization: `Bearer ${await gateway.token(role)}` };
  await client.connect(new StreamableHTTPClientTransport(new URL(`${gateway.url}${path}`), { requestInit: { headers } }));
  return Object.assign(client, { [Symbol.asyncDispose]: () => client.close() });
}
const bypass = { cacheMode: 'bypass' } as const;
const own = (names: string[]): string[] => names.filter((name) => !name.startsWith('demo__') && !name.startsWith('skill__'));
const tools = async (client: Client): Promise<string[]> => own((await client.listTools(undefined, bypass)).tools.map((each) => each.name));
const uris = async (client: Client): Promise<string[]> =>
  (await client.listResources(undefined, bypass)).resources.map((each) => each.uri).filter((uri) => !uri.startsWith('skill://'));
const prompts = async (client: Client): Promise<string[]> =>
  own((await client.listPrompts(undefined, bypass)).prompts.map((each) => each.name));

async function grant(capability: string, action: 'view' | 'use' = 'use'): Promise<{ revoke(): Promise<void> }> {
  const made = await gateway.as('admin', 'POST', '/api/grants', { spec: { subject_type: 'role', subject: 'user', capability, action } });
  expect(made.status, made.text).toBe(201);
  return {
    async revoke() {
      expect((await gateway.as('admin', 'DELETE', `/api/grants/${made.json.name}`)).status).toBe(204);
    },
  };
}

describe.each<Mode>(['legacy', 'auto'])('in the era %s', (mode) => {
  it('each role has its own list, and a viewer may only view', async () => {
    const all = ['first__read', 'first__write', 'second__read', 'second__write'];
    for (const role of ['admin', 'developer'] as const) {
      await using client = await connect(role, '/mcp', mode);
      expect(await tools(client), role).toEqual(all);
      expect((await client.callTool({ name: 'first__read', arguments: {} })).isError).not.toBe(true);
    }
    await using viewer = await connect('viewer', '/mcp', mode);
    expect(await tools(viewer)).toEqual(all);
    await expect(viewer.callTool({ name: 'first__read', arguments: {} })).rejects.toThrow(/You may not use mcp/);
    await using nobody = await connect('user', '/mcp', mode);
    expect([...(await tools(nobody)), ...(await uris(nobody)), ...(await prompts(nobody))]).toEqual([]);
  });

  it.each([
    ['one tool', 'mcp/first/read', ['first__read'], [], []],
    ['a server', 'mcp/first', ['first__read', 'first__write'], ['post://a', 'post://b'], ['first__compose']],
    [
      'a pattern',
      'mcp/*',
      ['first__read', 'first__write', 'second__read', 'second__write'],
      // Both servers have them; a list contains no URI twice.
      ['post://a', 'post://b'],
      ['first__compose', 'second__compose'],
    ],
    ['one resource', 'mcp/first/resource:post://a', [], ['post://a'], []],
    ['one prompt', 'mcp/second/prompt:compose', [], [], ['second__compose']],
  ])('a grant on %s shows only that', async (_what, capability, seenTools, seenResources, seenPrompts) => {
    const given = await grant(capability);
    await using client = await connect('user', '/mcp', mode);
    expect(await tools(client)).toEqual(seenTools);
    expect((await uris(client)).toSorted()).toEqual(seenResources.toSorted());
    expect(await prompts(client)).toEqual(seenPrompts);
    await given.revoke();
    expect(await tools(client)).toEqual([]);
  });

  it('a denied item is refused under every name', async () => {
    const given = await grant('mcp/first/read');
    await using client = await connect('user', '/mcp', mode);
    await using alone = await connect('user', '/mcp/first', mode);
    upstream.called.length = 0;
    for (const name of ['first__write', 'second__write', 'write', 'second__read', 'mcp/first/write', 'first/write'])
      await expect(client.callTool({ name, arguments: {} }), name).rejects.toThrow(/no tool/);
    for (const name of ['write', 'first__write']) await expect(alone.callTool({ name, arguments: {} }), name).rejects.toThrow(/no tool/);
    await expect(connect('user', '/mcp/second', mode)).rejects.toThrow();
    for (const connection of [client, alone]) {
      await expect(connection.readResource({ uri: 'post://a' })).rejects.toThrow(/no resource/);
      await expect(connection.getPrompt({ name: 'compose' })).rejects.toThrow(/no prompt/);
      const ref = { type: 'ref/prompt' as const, name: 'compose' };
      await expect(connection.complete({ ref, argument: { name: 'x', value: '' } })).rejects.toThrow(/no prompt/);
    }
    expect(upstream.called).toEqual([]);
    expect((await client.callTool({ name: 'read', arguments: {} })).isError).not.toBe(true);
    expect((await alone.callTool({ name: 'read', arguments: {} })).isError).not.toBe(true);
    await given.revoke();
  });

  it('a view grant does not allow use', async () => {
    const given = await grant('mcp/first', 'view');
    await using client = await connect('user', '/mcp', mode);
    expect(await tools(client)).toEqual(['first__read', 'first__write']);
    upstream.called.length = 0;
    await expect(client.callTool({ name: 'first__read', arguments: {} })).rejects.toThrow(/may not use/);
    await expect(client.readResource({ uri: 'post://a' })).rejects.toThrow(/may not use/);
    await expect(client.getPrompt({ name: 'first__compose' })).rejects.toThrow(/may not use/);
    expect(upstream.called).toEqual([]);
    await given.revoke();
  });

  it('a new or removed grant applies to the next call of an open session, and the client is notified', async () => {
    const first = await grant('mcp/first/read');
    let notifications = 0;
    await using client = await connect('user', '/mcp', mode, () => notifications++);
    expect((await client.callTool({ name: 'first__read', arguments: {} })).isError).not.toBe(true);
    await first.revoke();
    await expect(client.callTool({ name: 'first__read', arguments: {} })).rejects.toThrow(/no tool/);
    await eventually(
      async () => notifications,
      (count) => count > 0,
      3_000,
    );
    notifications = 0;
    const again = await grant('mcp/first/read');
    expect((await client.callTool({ name: 'first__read', arguments: {} })).isError).not.toBe(true);
    await eventually(
      async () => notifications,
      (count) => count > 0,
      3_000,
    );
    await again.revoke();
  });
});

describe('a name that several servers have', () => {
  it('is refused as ambiguous', async () => {
    await using client = await connect('developer', '/mcp');
    await expect(client.callTool({ name: 'read', arguments: {} })).rejects.toThrow(/first__read or second__read/);
    await expect(client.getPrompt({ name: 'compose' })).rejects.toThrow(/first__compose or second__compose/);
    await expect(client.readResource({ uri: 'post://a' })).rejects.toThrow(/\/mcp\/first or \/mcp\/second/);
    await using alone = await connect('developer', '/mcp/second');
    expect((await alone.readResource({ uri: 'post://a' })).contents).toHaveLength(1);
  });
});

describe('a session', () => {
  const accept = { accept: 'application/json, text/event-stream' };
  const call = { jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} };

  it('belongs to one user at one address; for others it does not exist', async () => {
    const transport = new StreamableHTTPClientTransport(new URL(`${gateway.url}/mcp`), {
      requestInit: { headers: { authorization: `Bearer ${await gateway.token('developer')}` } },
    });
    await using client = Object.assign(new Client({ name: 'x', version: '1' }), { [Symbol.asyncDispose]: () => client.close() });
    await client.connect(transport);
    const id = transport.sessionId ?? '';
    expect(id).not.toBe('');
    const send = (role: Role, path: string, session: string, method = 'POST') =>
      gateway.as(role, method, path, method === 'POST' ? call : undefined, { ...accept, 'mcp-session-id': session });
    expect((await send('developer', '/mcp', id)).status).toBe(200);
    const unknown = await send('developer', '/mcp', 'no-such-session');
    expect(unknown.status).toBe(404);
    for (const [role, path] of [
      ['admin', '/mcp'],
      ['developer', '/mcp/first'],
    ] as const) {
      const foreign = await send(role, path, id);
      expect([foreign.status, foreign.text]).toEqual([unknown.status, unknown.text]);
      expect((await send(role, path, id, 'DELETE')).status).toBe(404);
    }
    expect((await send('developer', '/mcp', id)).status).toBe(200);
  });

  it('ends with DELETE', async () => {
    const hello = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x', version: '1' } };
    const opened = await gateway.as('developer', 'POST', '/mcp', { jsonrpc: '2.0', id: 1, method: 'initialize', params: hello }, accept);
    const session = { 'mcp-session-id': opened.headers.get('mcp-session-id') ?? '' };
    expect((await gateway.as('developer', 'DELETE', '/mcp', undefined, session)).status).toBeLessThan(300);
    expect((await gateway.as('developer', 'POST', '/mcp', call, { ...accept, ...session })).status).toBe(404);
  });
});
