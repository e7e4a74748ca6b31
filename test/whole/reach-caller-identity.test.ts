/** Developers cannot configure anything that acts as its callers. A caller's token is sent only to its own issuer. */
import { DatabaseSync } from 'node:sqlite';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chiefOf, type Companies, type Person, startCompanies } from './companies.ts';
import { eventually } from './gateway.ts';
import { startToolServer, type ToolServer } from './tool-server.ts';
import { startAttackerServer, type AttackerServer } from './attacker-server.ts';

const chief = chiefOf('acme');
const eve: Person = { subject: 'eve', tenant: 'acme', roles: ['developer'] };
const una: Person = { subject: 'una', tenant: 'acme', roles: ['user'] };
let companies: Companies;
let attacker: AttackerServer;
let tools: ToolServer;
const owned = new AsyncDisposableStack();

/** Calls once and waits until the person is stored, so that rows can be assigned to them. */
async function signIn(person: Person): Promise<void> {
  await companies.must(person, 'GET', '/api/me');
  await eventually(
    () => companies.as(chief, 'GET', `/api/people/${person.subject}`),
    ({ status }) => status === 200,
  );
}

beforeAll(async () => {
  attacker = owned.use(await startAttackerServer());
  tools = owned.use(await startToolServer());
  companies = owned.use(await startCompanies());
  await Promise.all([chief, eve, una].map(signIn));
});
afterAll(() => owned.disposeAsync());

const exchange = (tokenUrl: string) => ({ type: 'token_exchange', token_url: tokenUrl, client_id: 'x', client_secret: 'y' });
const specs = (tokenUrl: string, url: string): Record<string, object> => ({
  http: { kind: 'http', options: { url: `${url}/mcp`, sessions: 'user', credentials: exchange(tokenUrl) } },
  sse: { kind: 'sse', options: { url: `${url}/sse`, sessions: 'user', credentials: exchange(tokenUrl) } },
  openapi: {
    kind: 'openapi',
    options: {
      url,
      document: { openapi: '3.1.0', info: {}, paths: { '/x': { get: { operationId: 'x' } } } },
      credentials: exchange(tokenUrl),
    },
  },
  'user account': { kind: 'http', options: { url: `${url}/mcp`, sessions: 'user', credentials: { type: 'user_oauth' } } },
});
const kinds = ['http', 'sse', 'openapi', 'user account'];

const list = (person: Person, path = '/mcp') =>
  companies.as(
    person,
    'POST',
    path,
    { jsonrpc: '2.0', id: 1, method: 'tools/list', params: {} },
    { accept: 'application/json, text/event-stream' },
  );

async function noTokenWasCaught(): Promise<void> {
  for (const person of [chief, eve, una]) expect(attacker.received(await companies.tokenOf(person))).toBe(false);
}

describe.each(kinds)('a developer’s MCP server that acts with the identity of callers (%s)', (kind) => {
  const spec = () => specs(`${attacker.url}/token`, attacker.url)[kind] as { kind: string; options: object };
  const harmless = { kind: 'http', options: { url: '' } };

  it('is refused at creation, at a trial, and in place of a harmless one', async () => {
    harmless.options.url = tools.url;
    const name = `notes-${kinds.indexOf(kind)}`;
    const created = await companies.as(eve, 'POST', '/api/mcp-servers', { name, spec: spec() });
    expect(created.status, created.text).toBe(403);
    expect(created.json.error.message).toContain('identity of each caller');
    expect((await companies.as(eve, 'POST', '/api/mcp-servers/test', { spec: spec() })).status).toBe(403);
    await companies.must(eve, 'POST', '/api/mcp-servers', { name, spec: harmless });
    expect((await companies.as(eve, 'PUT', `/api/mcp-servers/${name}`, { spec: spec() })).status).toBe(403);
    expect((await companies.as(eve, 'POST', '/api/mcp-servers/test', { spec: spec(), name })).status).toBe(403);
    for (const victim of [chief, una]) await list(victim);
    await noTokenWasCaught();
    await companies.must(eve, 'DELETE', `/api/mcp-servers/${name}`);
  });

  it('is refused even to administrators at an address that is not an issuer’s token endpoint', async () => {
    if (kind === 'user account') return;
    const refused = await companies.as(chief, 'POST', '/api/mcp-servers', { name: 'astray', spec: spec() });
    expect(refused.status, refused.text).toBe(400);
    expect(refused.json.error).toMatchObject({ param: 'spec.options.credentials.token_url' });
    expect(refused.json.error.message).toContain('PAILOU_TOKEN_EXCHANGE_ALLOW');
    expect((await companies.as(chief, 'POST', '/api/mcp-servers/test', { spec: spec() })).status).toBe(400);
    expect(attacker.receivedTexts).toEqual([]);
  });

  it('cannot be changed by a developer who got it from an administrator', async () => {
    const name = `lent-${kinds.indexOf(kind)}`;
    const good = specs(`${companies.service.issuer}/token`, new URL(tools.url).origin)[kind] as { kind: string; options: object };
    await companies.must(chief, 'POST', '/api/mcp-servers', { name, spec: good });
    await companies.must(chief, 'POST', `/api/mcp-servers/${name}/owner`, { owner: 'eve' });
    const astray = { ...good, options: { ...good.options, url: attacker.url } };
    for (const change of [{ spec: astray }, { spec: { ...good, description: 'mine' } }, { spec: harmless }])
      expect((await companies.as(eve, 'PUT', `/api/mcp-servers/${name}`, change)).status).toBe(403);
    expect((await companies.as(eve, 'POST', `/api/mcp-servers/${name}/owner`, { owner: 'una' })).status).toBe(403);
    expect((await companies.as(eve, 'POST', '/api/mcp-servers/test', { spec: astray, name })).status).toBe(403);
    for (const victim of [chief, una]) await list(victim);
    await noTokenWasCaught();
    await companies.must(eve, 'DELETE', `/api/mcp-servers/${name}`);
  });
});

describe('the token of a caller', () => {
  it('is exchanged at its issuer’s token endpoint by a call, and by no listing', async () => {
    const spec = {
      kind: 'http',
      options: { url: tools.url, sessions: 'user', credentials: exchange(`${companies.service.issuer}/token`) },
    };
    await companies.must(chief, 'POST', '/api/mcp-servers', { name: 'exchanged', spec });
    const before = companies.service.exchanges.length;
    expect((await list(chief)).status).toBe(200);
    expect((await list(eve)).status).toBe(200);
    expect(companies.service.exchanges.length).toBe(before);
    const called = await companies.as(
      eve,
      'POST',
      '/mcp/exchanged',
      { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'say', arguments: {} } },
      { accept: 'application/json, text/event-stream' },
    );
    expect(called.text).toContain('said');
    expect(companies.service.exchanges.at(-1)?.get('subject_token')).toBe(await companies.tokenOf(eve));
  });
});

describe('a row of an older version that acts with the identity of callers', () => {
  it('is left out with the remedy unless its last writer is a known administrator, even after a restart', async () => {
    const dataDir = await mkdtemp(join(tmpdir(), 'pailou-reach-'));
    owned.defer(() => rm(dataDir, { recursive: true, force: true }));
    const first = await startCompanies({ PAILOU_DATA_DIR: dataDir });
    const spec = { kind: 'http', options: { url: tools.url, sessions: 'user', credentials: exchange(`${first.service.issuer}/token`) } };
    await first.must(chief, 'POST', '/api/mcp-servers', { name: 'old', spec });
    const env = { PAILOU_OAUTH_ISSUER: first.service.issuer };
    await first.gateway.gateway.close();
    const database = new DatabaseSync(join(dataDir, 'pailou.db'));
    database.exec(`update llm_mcp_config set basis = '{}', owner = 'eve'`);
    database.close();
    await using again = await startCompanies({ PAILOU_DATA_DIR: dataDir, ...env });
    void again;
    const problems = await eventually(
      async () => {
        const answer = await fetch(`${again.gateway.url}/api/config/problems`, {
          headers: { authorization: `Bearer ${await first.tokenOf(chief)}` },
        });
        return (await answer.json()) as { data: { name: string; message: string }[] };
      },
      ({ data }) => data.length > 0,
    );
    expect(problems.data[0]).toMatchObject({
      name: 'old',
      message: expect.stringContaining('An administrator must review it and save it again'),
    });
    await first.service.stop();
  });
});
