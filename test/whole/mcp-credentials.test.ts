/** Tokens for MCP servers: Pailou's own and exchanged ones, from a real token endpoint, for a server that requires them. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { toNodeHandler } from '@modelcontextprotocol/node';
import { createMcpHandler, Server } from '@modelcontextprotocol/server';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Role } from '../../src/types/access.ts';
import { eventually, startGateway, type TestGateway } from './gateway.ts';

/** The requests to the token endpoint and the issued tokens. */
const asked: { form: URLSearchParams; authorization: string | undefined }[] = [];
const issued = new Map<string, { subject: string | null; expiresAt: number }>();
/** The Authorization headers that reached the MCP server. */
const arrived: string[] = [];
let lifeSeconds = 3_600;
let gateway: TestGateway;
let tokenUrl: string;
let mcpUrl: string;
const owned = new AsyncDisposableStack();
/** Both parts are form-encoded (RFC 6749 2.3.1). */
const isPailou = (authorization: string | undefined): boolean =>
  Buffer.from(authorization?.slice('Basic '.length) ?? '', 'base64')
    .toString()
    .split(':')
    .map((part) => decodeURIComponent(part))
    .join(':') === 'pailou:client-secret-canary';

function body(request: IncomingMessage): Promise<string> {
  return new Promise((resolve) => {
    let text = '';
    request.on('data', (part) => (text += part));
    request.on('end', () => resolve(text));
  });
}
async function listen(handler: (request: IncomingMessage, response: ServerResponse) => Promise<void>): Promise<string> {
  const server = createServer((request, response) => void handler(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  owned.defer(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

beforeAll(async () => {
  tokenUrl = `${await listen(async (request, response) => {
    const form = new URLSearchParams(await body(request));
    asked.push({ form, authorization: request.headers.authorization });
    response.setHeader('content-type', 'application/json');
    if (!isPailou(request.headers.authorization)) {
      response.writeHead(401).end(JSON.stringify({ error: 'invalid_client', error_description: 'who are you?' }));
      return;
    }
    const subject = form.get('subject_token');
    const token = `issued-${issued.size}-${Math.random().toString(36).slice(2)}`;
    issued.set(token, { subject, expiresAt: Date.now() + lifeSeconds * 1_000 });
    const more = subject === null ? {} : { issued_token_type: 'urn:ietf:params:oauth:token-type:access_token' };
    response.end(JSON.stringify({ access_token: token, token_type: 'Bearer', expires_in: lifeSeconds, ...more }));
  })}/token`;
  const handler = createMcpHandler(() => {
    const server = new Server({ name: 'guarded', version: '1.0.0' }, { capabilities: { tools: {} } });
    server.setRequestHandler('tools/list', () => ({
      tools: [
        { name: 'whoami', inputSchema: { type: 'object' as const } },
        { name: 'blab', inputSchema: { type: 'object' as const } },
      ],
    }));
    server.setRequestHandler('tools/call', ({ params }, context) => {
      const token = context.http?.authInfo?.token ?? '';
      if (params.name === 'blab') throw new Error(`your token is ${token}`);
      return { content: [{ type: 'text', text: `token of ${issued.get(token)?.subject ?? 'the gateway'}` }] };
    });
    return server;
  });
  owned.defer(() => handler.close());
  const serve = toNodeHandler(handler);
  mcpUrl = `${await listen(async (request, response) => {
    const token = /^Bearer (.+)$/.exec(request.headers.authorization ?? '')?.[1] ?? '';
    arrived.push(JSON.stringify(request.headers));
    const text = await body(request);
    if ((issued.get(token)?.expiresAt ?? 0) < Date.now()) {
      response.writeHead(401, { 'www-authenticate': 'Bearer' }).end();
      return;
    }
    await serve(
      Object.assign(request, { auth: { token, clientId: 'x', scopes: [] } }) as never,
      response,
      text === '' ? undefined : JSON.parse(text),
    );
  })}/mcp`;
  gateway = owned.use(await startGateway({ PAILOU_API_KEYS: 'on', PAILOU_TOKEN_EXCHANGE_ALLOW: tokenUrl }));
});
afterAll(() => owned.disposeAsync());
beforeEach(() => {
  asked.length = 0;
  arrived.length = 0;
  lifeSeconds = 3_600;
});

const oauth = (type: string, more: object = {}) => ({
  type,
  token_url: tokenUrl,
  client_id: 'pailou',
  client_secret: 'client-secret-canary',
  scope: 'tools',
  ...more,
});
async function register(name: string, options: object): Promise<void> {
  const made = await gateway.as('admin', 'POST', '/api/mcp-servers', {
    name,
    spec: { kind: 'http', options: { url: mcpUrl, ...options } },
  });
  expect(made.status, made.text).toBe(201);
  expect(made.text).not.toContain('client-secret-canary');
}
const call = (role: Role, server: string, name = 'whoami', authorization?: string) =>
  gateway.as(
    role,
    'POST',
    `/mcp/${server}`,
    { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {} } },
    {
      accept: 'application/json, text/event-stream',
      ...(authorization === undefined ? {} : { authorization }),
    },
  );
const knows = (server: string) =>
  eventually(
    async () => (await gateway.as('admin', 'POST', `/api/mcp-servers/${server}/sync`)).json.tools as number,
    (count) => count === 2,
  );

describe("Pailou's own token", () => {
  it('is fetched once for all callers, sent to the server, and fetched again when it expired or was refused', async () => {
    await register('own', { credentials: oauth('client_credentials', { resource: 'https://mcp.example/mcp' }) });
    await knows('own');
    const answers = await Promise.all(Array.from({ length: 8 }, () => call('developer', 'own')));
    for (const { text } of answers) expect(text).toContain('token of the gateway');
    expect(asked).toHaveLength(1);
    expect(Object.fromEntries(asked[0]?.form ?? [])).toEqual({
      grant_type: 'client_credentials',
      scope: 'tools',
      resource: 'https://mcp.example/mcp',
    });
    // Revoked: the server says 401, a new one is fetched, the call succeeds.
    issued.clear();
    expect((await call('developer', 'own')).text).toContain('token of the gateway');
    expect(asked).toHaveLength(2);
    // About to expire: renewed before it is used.
    lifeSeconds = 20;
    issued.clear();
    await call('developer', 'own');
    await call('developer', 'own');
    expect(asked).toHaveLength(4);
  });

  it('is hidden when the server repeats it', async () => {
    await register('blabbing', { credentials: oauth('client_credentials') });
    await knows('blabbing');
    const { text } = await call('developer', 'blabbing', 'blab');
    expect(text).toContain('your token is [hidden]');
  });

  it('that the service refuses is reported to the administrator with the service’s message, without the secret', async () => {
    await register('refused', { credentials: { ...oauth('client_credentials'), client_secret: 'wrong-secret-canary' } });
    const { json, text } = await gateway.as('admin', 'POST', '/api/mcp-servers/refused/sync');
    expect(json.error).toContain('invalid_client: who are you?');
    expect(text).not.toContain('wrong-secret-canary');
    // Many concurrent calls cause one request to the service.
    asked.length = 0;
    await Promise.all(Array.from({ length: 10 }, () => call('developer', 'refused')));
    expect(asked.length).toBeLessThan(3);
  });
});

describe('an exchanged token', () => {
  const exchange = () => ({ credentials: oauth('token_exchange', { audience: 'mcp' }), sessions: 'user' });

  it('is specific to each caller; the caller’s token reaches the OAuth2 service and never the server', async () => {
    await register('exchanged', exchange());
    const people = await Promise.all((['developer', 'admin'] as const).map(async (role) => ({ role, token: await gateway.token(role) })));
    for (const { role, token } of people) {
      // No user has connected yet: the listing is read with the first caller's token.
      await eventually(
        async () => (await call(role, 'exchanged')).text,
        (text) => text.includes(`token of ${token}`),
      );
    }
    const exchanges = asked.filter(({ form }) => form.get('grant_type') === 'urn:ietf:params:oauth:grant-type:token-exchange');
    expect(new Set(exchanges.map(({ form }) => form.get('subject_token')))).toEqual(new Set(people.map(({ token }) => token)));
    expect(exchanges[0]?.form.get('audience')).toBe('mcp');
    for (const { token } of people) expect(arrived.join()).not.toContain(token);
    // One token for each person, however often they call.
    const before = asked.length;
    for (let round = 0; round < 3; round++) for (const { role } of people) await call(role, 'exchanged');
    expect(asked).toHaveLength(before);
  });

  it('is not available for a key', async () => {
    await register('exchanged-too', exchange());
    await eventually(
      async () => (await call('developer', 'exchanged-too')).text,
      (text) => text.includes('token of'),
    );
    const made = await gateway.as('developer', 'POST', '/api/keys', {
      title: 'machine',
      permissions: ['llm:mcp:view', 'llm:mcp:use'],
      expires_in_days: 1,
    });
    expect(made.status, made.text).toBe(201);
    const refused = await call('developer', 'exchanged-too', 'whoami', `Bearer ${made.json.key}`);
    expect(refused.text).toContain('an API key or a browser cookie cannot be exchanged');
  });

  it('requires per-user sessions', async () => {
    const spec = { kind: 'http', options: { url: mcpUrl, credentials: oauth('token_exchange') } };
    const refused = await gateway.as('admin', 'POST', '/api/mcp-servers', { name: 'wrong', spec });
    expect(refused.status).toBe(400);
    expect(refused.json.error).toMatchObject({ param: 'spec.options.sessions' });
  });

  it('works with the official client', async () => {
    await register('official', exchange());
    const client = new Client({ name: 'x', version: '1' });
    const headers = { authorization: `Bearer ${await gateway.token('developer')}` };
    await client.connect(new StreamableHTTPClientTransport(new URL(`${gateway.url}/mcp/official`), { requestInit: { headers } }));
    await eventually(
      async () => (await client.listTools()).tools.length,
      (count) => count === 2,
      10_000,
    );
    await client.close();
  });
});
