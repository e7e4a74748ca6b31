/** MCP catalogues over two nodes on one PostgreSQL: listings and approvals of one node reach the other. */
import { randomBytes } from 'node:crypto';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databaseKinds, postgresUrl, type TestDatabase } from '../storage/databases.ts';
import { type ChangingUpstream, startChangingUpstream } from './mcp-upstream.ts';
import { eventually, startGateway, startProcess, type TestGateway } from './gateway.ts';

const soonMs = 3_000;
const tool = (name: string, description = name) => ({ name, description, inputSchema: { type: 'object' } });

describe.skipIf(postgresUrl === undefined)('MCP servers over two nodes on PostgreSQL', () => {
  let database: TestDatabase;
  let identity: TestGateway;
  let server: ChangingUpstream;
  let nodes: TestGateway[];
  const clients: Client[] = [];
  let notifications = 0;
  const listChanged = { tools: { autoRefresh: false, onChanged: () => void notifications++ } };

  beforeAll(async () => {
    const kind = databaseKinds.find(({ name }) => name === 'PostgreSQL');
    if (kind === undefined) throw new Error('no PostgreSQL');
    database = await kind.createMigrated();
    identity = await startGateway();
    server = await startChangingUpstream({ tools: [tool('read'), tool('write')], resources: [], prompts: [] });
    const env = {
      PAILOU_MODE: 'production',
      PAILOU_OAUTH_ISSUER: identity.gateway.issuer,
      PAILOU_OAUTH_PRESET: 'generic',
      PAILOU_OAUTH_AUDIENCE: identity.url,
      PAILOU_DATABASE_URL: database.url ?? '',
      PAILOU_MASTER_KEY: randomBytes(32).toString('base64'),
      PAILOU_OUTBOUND_ALLOW: '127.0.0.0/8',
      PAILOU_LOG_LEVEL: 'error',
    };
    // Sequential starts avoid concurrent migrations.
    nodes = [await startGateway(env, startProcess), await startGateway(env, startProcess)];
    const row = { name: 'files', spec: { kind: 'http', options: { url: server.url } } };
    const made = await nodes[0]?.as('admin', 'POST', '/api/mcp-servers', row, {
      authorization: `Bearer ${await identity.token('admin')}`,
    });
    expect(made?.status, made?.text).toBe(201);
    for (const node of nodes) {
      const client = new Client({ name: 'test', version: '1.0.0' }, { listChanged });
      await client.connect(
        new StreamableHTTPClientTransport(new URL(`${node.url}/mcp`), {
          requestInit: { headers: { authorization: `Bearer ${await identity.token('developer')}` } },
        }),
      );
      clients.push(client);
    }
  });
  afterAll(async () => {
    for (const client of clients) await client.close();
    for (const node of nodes) await node[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
    await identity[Symbol.asyncDispose]();
    await database[Symbol.asyncDispose]();
  });

  const ask = async (node: TestGateway, method: string, path: string, body?: unknown) =>
    node.as(null, method, path, body, { authorization: `Bearer ${await identity.token('admin')}` });
  const showEverywhere = (wanted: string[]) =>
    eventually(
      () =>
        Promise.all(
          clients.map(async (client) =>
            (await client.listTools(undefined, { cacheMode: 'bypass' } as never)).tools.map(({ name }) => name).join(),
          ),
        ),
      (lists) => lists.every((list) => list === wanted.map((name) => `files__${name}`).join()),
      soonMs,
    );

  it('an approval on one node applies on the other, notifies its clients, and is not required twice', async () => {
    const [first, second] = nodes as [TestGateway, TestGateway];
    await showEverywhere(['read', 'write']);
    server.offered.tools = [tool('read'), tool('write', 'Writes elsewhere.')];
    server.announce();
    await showEverywhere(['read']);
    const withheld = await eventually(
      async () =>
        (await ask(second, 'GET', '/api/mcp-servers/files/items')).json.data.filter((item: { state: string }) => item.state === 'changed'),
      (data) => data.length === 1,
      soonMs,
    );
    const toldBefore = notifications;
    const approved = await ask(first, 'POST', '/api/mcp-servers/files/items/approve', {
      items: [{ kind: 'tool', name: 'write', digest: withheld[0].seen_digest }],
    });
    expect(approved.status, approved.text).toBe(200);
    await showEverywhere(['read', 'write']);
    await eventually(
      async () => notifications - toldBefore,
      (times) => times >= 2,
      soonMs,
    );
    // The audit is written in batches.
    const entries = await eventually(
      async () => (await ask(second, 'GET', '/api/audit?target=mcp/files/write')).json.data as { act: string }[],
      (found) => found.some(({ act }) => act === 'approve'),
    );
    expect(entries.filter(({ act }) => act === 'approve')).toHaveLength(1);
    expect(entries.filter(({ act }) => act === 'withhold').length).toBeLessThanOrEqual(2);
  });

  it('a disabled tool on one node is disabled on the other', async () => {
    const [first, second] = nodes as [TestGateway, TestGateway];
    expect((await ask(first, 'PATCH', '/api/mcp-servers/files/tools/read', { enabled: false })).status).toBe(200);
    await showEverywhere(['write']);
    expect((await ask(second, 'PATCH', '/api/mcp-servers/files/tools/read', { enabled: true })).status).toBe(200);
    await showEverywhere(['read', 'write']);
  });
});
