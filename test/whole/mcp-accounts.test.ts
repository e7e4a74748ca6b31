/** Users' own accounts at an MCP server: connected, used, renewed and deleted by their owner only. */
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { Role } from '../../src/types/access.ts';
import { type AuthorizationServer, startAuthorizationServer } from './authorization-server.ts';
import { eventually, startGateway, type TestGateway } from './gateway.ts';

const owned = new AsyncDisposableStack();
let service: AuthorizationServer;
let gateway: TestGateway;

beforeAll(async () => {
  service = owned.use(await startAuthorizationServer());
  gateway = owned.use(await startGateway({ PAILOU_LOG_LEVEL: 'debug' }));
  await register('personal');
});
afterAll(() => owned.disposeAsync());
beforeEach(() => {
  service.asked.length = 0;
  service.lifeSeconds = 3_600;
});

async function register(name: string, url = service.mcp): Promise<void> {
  const options = { url, sessions: 'user', credentials: { type: 'user_oauth', scope: 'tools' } };
  const made = await gateway.as('admin', 'POST', '/api/mcp-servers', { name, spec: { kind: 'http', options } });
  expect(made.status, made.text).toBe(201);
}
const accountOf = (server: string): string => `/api/mcp-servers/${server}/account`;
const call = (role: Role, server = 'personal', name = 'whoami') =>
  gateway.as(
    role,
    'POST',
    `/mcp/${server}`,
    { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name, arguments: {} } },
    { accept: 'application/json, text/event-stream' },
  );
/** Follows the callback URL as the person's browser does. */
async function wayBack(role: Role, person: string, server = 'personal'): Promise<string> {
  const begun = await gateway.as(role, 'POST', accountOf(server));
  expect(begun.status, begun.text).toBe(200);
  service.person = person;
  const sent = await fetch(begun.json.authorization_url, { redirect: 'manual' });
  const url = new URL(sent.headers.get('location') ?? '');
  return url.pathname + url.search;
}
async function connect(role: Role, person: string, server = 'personal'): Promise<void> {
  const back = await gateway.as(role, 'GET', await wayBack(role, person, server));
  expect(back.status, back.text).toBe(200);
}
const says = (role: Role, text: string, server = 'personal') =>
  eventually(
    async () => (await call(role, server)).text,
    (answer) => answer.includes(text),
    10_000,
  );

describe('an account', () => {
  it('is requested with a message, connected in a browser, and used for each call of its owner', async () => {
    const without = await call('developer');
    expect(without.text).toContain('Connect it in the console');
    expect((await gateway.as('developer', 'GET', accountOf('personal'))).json).toMatchObject({ connected: false });
    await connect('developer', 'ann');
    await connect('admin', 'bob');
    await says('developer', 'you are ann');
    await says('admin', 'you are bob');
    const status = await gateway.as('developer', 'GET', accountOf('personal'));
    expect(status.json).toMatchObject({ connected: true, scope: 'tools' });
    // Registered once, with Pailou's own callback URL.
    expect(service.registered).toHaveLength(1);
    expect(service.registered[0]).toMatchObject({ redirect_uris: [`${gateway.url}${accountOf('personal')}/callback`] });
    for (const role of ['developer', 'admin'] as const) expect(service.arrived.join()).not.toContain(await gateway.token(role));
    const audit = await gateway.as('admin', 'GET', '/api/audit?act=connect');
    expect(audit.json.data.map((entry: { target: string }) => entry.target)).toEqual(['mcp/personal', 'mcp/personal']);
  });

  it('is renewed before its token expires, and after a refusal; once, however many calls need it', async () => {
    await connect('developer', 'ann');
    service.renewed.length = 0;
    service.expireAll();
    const answers = await Promise.all(Array.from({ length: 6 }, () => call('developer')));
    for (const { text } of answers) expect(text).toContain('you are ann');
    // Connections of other people may renew their tokens at the same time.
    expect(service.renewed.filter((person) => person === 'ann')).toEqual(['ann']);
  });

  it('is requested again when the service requires a new sign-in', async () => {
    await connect('developer', 'ann');
    service.revokeAll();
    expect((await call('developer')).text).toContain('Connect it in the console');
    expect((await gateway.as('developer', 'GET', accountOf('personal'))).json.connected).toBe(false);
    await connect('developer', 'ann');
    await says('developer', 'you are ann');
  });

  it('is deleted at once', async () => {
    await connect('developer', 'ann');
    expect((await gateway.as('developer', 'DELETE', accountOf('personal'))).status).toBe(204);
    expect((await call('developer')).text).toContain('Connect it in the console');
  });

  it('survives a restart, sealed; its tokens are stored nowhere as plain text', async () => {
    await connect('developer', 'ann');
    const { text } = await call('developer', 'personal', 'blab');
    expect(text).toContain('your token is [hidden]');
    const files = readdirSync(gateway.dataDir, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    const all = files.map(({ parentPath, name }) => readFileSync(join(parentPath, name), 'latin1')).join();
    expect(all).toContain('llm_mcp_account');
    expect(all).not.toMatch(/(access|refresh)-[0-9a-f]{8}-/);
  });
});

describe('the callback', () => {
  it('is accepted once', async () => {
    const back = await wayBack('developer', 'ann');
    const both = await Promise.all([gateway.as('developer', 'GET', back), gateway.as('developer', 'GET', back)]);
    expect(both.map(({ status }) => status).toSorted((one, other) => one - other)).toEqual([200, 400]);
    expect(service.asked).toHaveLength(1);
    expect((await gateway.as('developer', 'GET', back)).json.error.code).toBe('sign_in_failed');
  });

  it('belongs to the user who started it, and cannot be finished by another', async () => {
    const back = await wayBack('admin', 'mallory');
    const lured = await gateway.as('developer', 'GET', back);
    expect(lured.status).toBe(400);
    expect((await gateway.as(null, 'GET', back)).status).toBe(401);
    expect((await gateway.as('admin', 'GET', back)).status).toBe(200);
  });

  it('is refused with another state, another issuer, or an error in place of a code', async () => {
    const back = new URL(await wayBack('developer', 'ann'), gateway.url);
    for (const [name, value] of Object.entries({ state: 'another', iss: 'https://evil.example' })) {
      const changed = new URL(back);
      changed.searchParams.set(name, value);
      const refused = await gateway.as('developer', 'GET', changed.pathname + changed.search);
      expect(refused.status, name).toBe(400);
      expect(refused.json.error.code).toBe('sign_in_failed');
      expect(refused.text).not.toContain('evil.example');
    }
    const denied = await gateway.as('developer', 'GET', `${accountOf('personal')}/callback?state=x&error=access_denied<script>`);
    expect(denied.json.error.message).toContain('access_denied');
    expect(denied.text).not.toContain('<script>');
  });
});

describe('the tokens', () => {
  it('are not sent to a changed address of the row, nor to a draft', async () => {
    await using other = await startAuthorizationServer();
    await register('moving');
    await connect('developer', 'ann', 'moving');
    await says('developer', 'you are ann', 'moving');
    const options = { url: other.mcp, sessions: 'user', credentials: { type: 'user_oauth', scope: 'tools' } };
    const tried = await gateway.as('admin', 'POST', '/api/mcp-servers/test', { name: 'moving', spec: { kind: 'http', options } });
    expect(tried.json.ok).toBe(false);
    expect((await gateway.as('admin', 'PUT', '/api/mcp-servers/moving', { spec: { kind: 'http', options } })).status).toBe(200);
    expect((await call('developer', 'moving')).text).toContain('Connect it in the console');
    expect(other.arrived.join()).not.toMatch(/access-/);
  });

  it('require per-user sessions, and a right to the server', async () => {
    const options = { url: service.mcp, credentials: { type: 'user_oauth' } };
    const shared = await gateway.as('admin', 'POST', '/api/mcp-servers', { name: 'shared', spec: { kind: 'http', options } });
    expect(shared.json.error).toMatchObject({ code: 'configuration_invalid', param: 'spec.options.sessions' });
    expect((await gateway.as('user', 'POST', accountOf('personal'))).status).toBe(403);
    const clock = { name: 'plain', spec: { kind: 'http', options: { url: service.mcp } } };
    await gateway.as('admin', 'POST', '/api/mcp-servers', clock);
    expect((await gateway.as('admin', 'POST', accountOf('plain'))).json.error.message).toContain('does not use accounts');
  });
});
