/** Rows that several tenants share, over HTTP: who sees, calls, grants and changes what another tenant shares, and what stays hidden. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chiefOf, type Companies, type Person, startCompanies } from './companies.ts';
import { type Answer, eventually } from './gateway.ts';
import { startToolServer, type ToolServer } from './tool-server.ts';
import { answerOk, startVendor, type Vendor } from './vendor.ts';

let companies: Companies;
let vendor: Vendor;
let tools: ToolServer;

const owner = chiefOf('head-office');
const ownerDeveloper: Person = { subject: 'their-developer', tenant: 'head-office', roles: ['developer'] };
const admin = chiefOf('branch');
const developer: Person = { subject: 'branch-developer', tenant: 'branch', roles: ['developer'] };
const user: Person = { subject: 'branch-user', tenant: 'branch', roles: ['user'] };
const viewer: Person = { subject: 'branch-viewer', tenant: 'branch', roles: ['viewer'] };
const stranger = chiefOf('stranger');
const strangerUser: Person = { subject: 'stranger-user', tenant: 'stranger', roles: ['user'] };

const secret = 'sk-head-office-1234567890';
const hello = { messages: [{ role: 'user', content: 'Hi' }] };
const mcpHeaders = { accept: 'application/json, text/event-stream', 'mcp-protocol-version': '2025-06-18' };

const modelSpec = (more: object = {}): object => ({
  description: 'The model of the head office',
  deployments: [{ provider: 'vendor', model: 'upstream', price: { currency: 'CNY', input: '2', output: '8' } }],
  retry: { same: 0 },
  ...more,
});
const chat = (person: Person, model = 'shared-chat'): Promise<Answer> =>
  companies.as(person, 'POST', '/v1/chat/completions', { model, ...hello });
const grant = (chief: Person, capability: string, subject = 'user', more: object = {}): Promise<Answer> =>
  companies.as(chief, 'POST', '/api/grants', { spec: { subject_type: 'role', subject, capability, action: 'use', ...more } });
const rpc = (person: Person, path: string, method: string, params: object = {}): Promise<Answer> =>
  companies.as(person, 'POST', path, { jsonrpc: '2.0', id: 1, method, params }, mcpHeaders);
const codeOf = ({ json }: Answer): unknown => json?.error?.code;
const sharedList = async (person: Person): Promise<Record<string, unknown>[]> =>
  (await companies.must(person, 'GET', '/api/shared')).json.data as Record<string, unknown>[];
const offer = (collection: string, name: string, tenants: readonly string[]): Promise<Answer> =>
  companies.must(owner, 'PATCH', `/api/${collection}/${name}`, { spec: { shared_with: tenants } });

beforeAll(async () => {
  vendor = await startVendor();
  tools = await startToolServer();
  companies = await startCompanies();
  await companies.must(owner, 'POST', '/api/providers', {
    name: 'vendor',
    spec: { kind: 'openai-compatible', options: { base_url: vendor.url, api_key: secret } },
  });
  await companies.must(owner, 'POST', '/api/models', { name: 'shared-chat', spec: modelSpec({ shared_with: ['branch'] }) });
  await companies.must(owner, 'POST', '/api/models', { name: 'own-chat', spec: modelSpec() });
  await companies.must(owner, 'POST', '/api/mcp-servers', {
    name: 'files',
    spec: { kind: 'http', options: { url: tools.url }, shared_with: ['branch'] },
  });
  await companies.must(owner, 'POST', '/api/skills', {
    name: 'greet',
    spec: {
      description: 'Greets.',
      model: 'shared-chat',
      options: { instructions: 'Greet {{text}}' },
      shared_with: ['branch'],
    },
  });
  // Patterns, as tenants have them for rows of their own.
  for (const pattern of ['model/*', 'mcp/*', 'skill/*']) await grant(admin, pattern);
});
afterAll(async () => {
  await companies[Symbol.asyncDispose]();
  await vendor[Symbol.asyncDispose]();
  await tools[Symbol.asyncDispose]();
});

describe('before a grant of the receiving tenant', () => {
  it('nobody there may call what is shared, whatever their role, and patterns of grants do not reach it', async () => {
    const asked = vendor.requests.length;
    for (const person of [admin, developer, user, viewer]) {
      expect((await chat(person)).status, person.subject).toBe(403);
      expect((await companies.as(person, 'POST', '/v1/skills/greet/runs', { input: { text: 'x' } })).status, person.subject).toBe(403);
      const called = await rpc(person, '/mcp/files', 'tools/call', { name: 'say', arguments: {} });
      expect(called.text, person.subject).not.toContain('said');
    }
    expect(vendor.requests.length).toBe(asked);
    expect(tools.inputs).toEqual([]);
  });

  it('its administrators see it, with its owner and price, and nobody else sees it', async () => {
    const rows = await sharedList(admin);
    expect(rows.map(({ capability, tenant, state, granted }) => [capability, tenant, state, granted])).toEqual([
      ['mcp/files', 'head-office', 'available', false],
      ['model/shared-chat', 'head-office', 'available', false],
      ['skill/greet', 'head-office', 'available', false],
    ]);
    expect(rows[1]).toMatchObject({ prices: [{ currency: 'CNY' }], operations: ['chat'], hidden_by: null });
    const skills = (await companies.must(admin, 'GET', '/api/shared?kind=skill')).json.data as { capability: string }[];
    expect(skills.map(({ capability }) => capability)).toEqual(['skill/greet']);
    expect((await companies.as(admin, 'GET', '/api/shared?kind=provider')).status).toBe(400);
    const listed = (await companies.must(admin, 'GET', '/v1/models')).json.data as { id: string; owned_by: string }[];
    expect(listed.find(({ id }) => id === 'shared-chat')?.owned_by).toBe('head-office');
    for (const person of [developer, user, viewer]) {
      expect((await companies.must(person, 'GET', '/v1/models')).text, person.subject).not.toMatch(/shared-chat|greet/);
      expect((await companies.as(person, 'GET', '/api/shared')).status).toBe(403);
    }
    expect(await sharedList(owner)).toEqual([]);
    expect(await sharedList(stranger)).toEqual([]);
  });

  it('a tenant that is not named gets the answer of an unknown name', async () => {
    const [theirs, unknown] = [await chat(stranger), await chat(stranger, 'shared-chax')];
    expect([theirs.status, codeOf(theirs)]).toEqual([404, 'model_not_found']);
    const blank = (text: string, name: string): string => text.replaceAll(name, '<>').replace(/"request_id":"[^"]*"/, '');
    expect(blank(theirs.text, 'shared-chat')).toBe(blank(unknown.text, 'shared-chax'));
    expect((await grant(stranger, 'model/shared-chat')).status).toBe(400);
    expect((await companies.as(stranger, 'GET', '/v1/skills/greet')).status).toBe(404);
    expect((await rpc(stranger, '/mcp/files', 'tools/list')).status).toBe(404);
  });

  it('explains why a call is denied', async () => {
    const { json } = await companies.must(admin, 'GET', '/api/explain?capability=model/shared-chat&action=use');
    expect(json).toMatchObject({ allowed: false, rule: 'shared' });
    expect(json.reason).toContain('head-office');
  });
});

describe('with a grant by name', () => {
  beforeAll(async () => {
    for (const capability of ['model/shared-chat', 'mcp/files', 'skill/greet']) {
      const granted = await grant(admin, capability);
      expect(granted.status).toBe(201);
      // A script that made it for a row of its own, which is gone, reads whom its calls reach now.
      expect(granted.json.warnings.at(-1)).toContain(`"${capability}" is shared by the tenant "head-office"`);
    }
  });

  it('those whom it names call it with the credential of its owner, and others still do not', async () => {
    const answer = await chat(user);
    expect(answer.status).toBe(200);
    expect(vendor.requests.at(-1)?.headers.authorization).toBe(`Bearer ${secret}`);
    for (const person of [admin, developer, viewer]) expect((await chat(person)).status, person.subject).toBe(403);
    expect((await chat(strangerUser)).status).toBe(404);
    const skill = await companies.as(user, 'POST', '/v1/skills/greet/runs', { input: { text: 'x' } });
    expect(skill.status).toBe(200);
    const said = await rpc(user, '/mcp/files', 'tools/call', { name: 'say', arguments: { word: 'branch' } });
    expect(said.text).toContain('said');
    expect(tools.inputs).toEqual([{ word: 'branch' }]);
    expect((await companies.must(user, 'GET', '/v1/models')).text).toContain('shared-chat');
  });

  it('calls are booked in the tenant of the caller, at the price of the row, and in no other', async () => {
    const runs = await eventually(
      async () => (await companies.must(admin, 'GET', '/api/runs?model=shared-chat')).json.data as Record<string, unknown>[],
      (found) => found.length > 0,
    );
    expect(runs[0]).toMatchObject({ subject: 'branch-user' });
    expect((await companies.must(owner, 'GET', '/api/runs')).json.data).toEqual([]);
    const usage = (await companies.must(admin, 'GET', '/api/usage?by=model')).text;
    expect(usage).toContain('shared-chat');
    expect((await companies.must(owner, 'GET', '/api/usage?by=model')).text).not.toContain('shared-chat');
  });

  it('limits of the tenant of the caller count the calls', async () => {
    const spec = { subject_type: 'user', subject: '*', capability: 'model/shared-chat', requests_per_minute: 1 };
    await companies.must(admin, 'POST', '/api/limits', { name: 'one', spec });
    const statuses = [(await chat(user)).status, (await chat(user)).status];
    expect(statuses).toContain(429);
    await companies.must(admin, 'DELETE', '/api/limits/one');
    expect((await chat(user)).status).toBe(200);
  });

  it('nothing of the credential and the address of the vendor is in any answer, error or trace', async () => {
    vendor.behave((_request, response) => {
      response.writeHead(500, { 'content-type': 'application/json' });
      response.end(JSON.stringify({ error: { message: `${vendor.url} refused ${secret} of organization head-office-org` } }));
    });
    const failed = await chat(user);
    vendor.behave(answerOk);
    expect(failed.status).toBeGreaterThanOrEqual(500);
    const run = await eventually(
      async () =>
        ((await companies.must(admin, 'GET', '/api/runs?model=shared-chat')).json.data as { id: string; outcome: string }[]).find(
          ({ outcome }) => outcome === 'error',
        ),
      (found) => found !== undefined,
    );
    const seen = [failed.text, JSON.stringify([...failed.headers])];
    const paths = [
      `/api/runs/${run?.id}`,
      '/api/shared',
      '/api/models',
      '/api/health',
      '/v1/models',
      '/v1/models/shared-chat',
      '/api/mcp-servers/files/health',
    ];
    paths.push('/api/mcp-servers/files/items', '/v1/skills/greet', '/api/audit', '/api/access/matrix', '/api/config/history');
    for (const path of paths) seen.push((await companies.as(admin, 'GET', path)).text);
    seen.push((await companies.as(user, 'POST', '/api/route/explain', { model: 'shared-chat', ...hello })).text);
    for (const text of seen) {
      expect(text).not.toContain(secret);
      expect(text).not.toContain(new URL(vendor.url).host);
      expect(text).not.toContain(new URL(tools.url).host);
      expect(text).not.toContain('head-office-org');
    }
  });

  it('nobody there changes it', async () => {
    const before = JSON.stringify((await companies.must(owner, 'GET', '/api/models/shared-chat')).json);
    const attempts: [string, string, object | undefined][] = [
      ['PUT', '/api/models/shared-chat', { spec: modelSpec() }],
      ['PATCH', '/api/models/shared-chat', { spec: { description: 'x' } }],
      ['DELETE', '/api/models/shared-chat', undefined],
      ['DELETE', '/api/mcp-servers/files', undefined],
      ['POST', '/api/mcp-servers/files/sync', undefined],
      ['PATCH', '/api/mcp-servers/files/tools/say', { enabled: false }],
      ['POST', '/api/mcp-servers/files/items/approve', { items: [{ kind: 'tool', name: 'say', digest: '0'.repeat(64) }] }],
      ['DELETE', '/api/skills/greet', undefined],
    ];
    for (const [method, path, body] of attempts) {
      const answer = await companies.as(admin, method, path, body);
      expect(answer.status, `${method} ${path} ${answer.text}`).toBe(403);
      expect(answer.text).toContain('head-office');
      expect((await companies.as(developer, method, path, body)).status, `${method} ${path}`).toBeGreaterThanOrEqual(403);
    }
    expect((await companies.as(admin, 'GET', '/api/models/shared-chat')).status).toBe(403);
    expect((await companies.as(user, 'GET', '/api/models/shared-chat')).status).toBe(404);
    expect(JSON.stringify((await companies.must(owner, 'GET', '/api/models/shared-chat')).json)).toBe(before);
  });

  it('an MCP session of one tenant is unknown to the other', async () => {
    const params = { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' } };
    const opened = await rpc(user, '/mcp/files', 'initialize', params);
    const session = opened.headers.get('mcp-session-id') ?? '';
    expect(session).not.toBe('');
    const body = { jsonrpc: '2.0', id: 2, method: 'tools/list', params: {} };
    const headers = { ...mcpHeaders, 'mcp-session-id': session };
    expect((await companies.as(owner, 'POST', '/mcp/files', body, headers)).status).toBe(404);
    expect((await companies.as(user, 'POST', '/mcp/files', body, headers)).status).toBe(200);
  });

  it('a cached answer is never given to another tenant', async () => {
    await companies.must(owner, 'PATCH', '/api/models/shared-chat', { spec: { cache: { shared_by: 'tenant' } } });
    const asked = vendor.requests.length;
    expect((await chat(owner)).status).toBe(200);
    expect((await chat(owner)).status).toBe(200);
    expect(vendor.requests.length).toBe(asked + 1);
    expect((await chat(user)).status).toBe(200);
    expect(vendor.requests.length).toBe(asked + 2);
    await companies.must(owner, 'PUT', '/api/models/shared-chat', { spec: modelSpec({ shared_with: ['branch'] }) });
  });

  it('a row of its own comes first, and the API says so', async () => {
    await companies.must(admin, 'POST', '/api/providers', { name: 'demo', spec: { kind: 'demo' } });
    const mine = { name: 'shared-chat', spec: { deployments: [{ provider: 'demo', model: 'echo' }] } };
    await companies.lend('demo', 'branch');
    const taken = await companies.as(developer, 'POST', '/api/models', mine);
    expect([taken.status, taken.json.error.param]).toEqual([403, 'name']);
    await companies.must(admin, 'POST', '/api/models', {
      name: 'shared-chat',
      spec: { deployments: [{ provider: 'demo', model: 'echo' }] },
    });
    const asked = vendor.requests.length;
    expect((await chat(admin)).status).toBe(200);
    expect(vendor.requests.length).toBe(asked);
    const row = (await sharedList(admin)).find(({ name }) => name === 'shared-chat');
    expect(row).toMatchObject({ state: 'hidden', hidden_by: 'branch', granted: true });
    expect(row?.['reason']).toContain('of its own');
    await companies.must(admin, 'DELETE', '/api/models/shared-chat');
    expect((await chat(user)).status).toBe(200);
  });

  it('a third tenant that offers the same name takes nothing from the one in use', async () => {
    const other = chiefOf('other-office');
    await companies.must(other, 'POST', '/api/providers', { name: 'demo', spec: { kind: 'demo' } });
    const spec = { deployments: [{ provider: 'demo', model: 'echo' }], shared_with: ['*'] };
    await companies.must(other, 'POST', '/api/models', { name: 'shared-chat', spec });
    const asked = vendor.requests.length;
    expect((await chat(user)).status).toBe(200);
    expect(vendor.requests.length).toBeGreaterThanOrEqual(asked);
    const rows = (await sharedList(admin)).filter(({ name }) => name === 'shared-chat');
    expect(rows.map(({ tenant, state, hidden_by }) => [tenant, state, hidden_by])).toEqual([
      ['head-office', 'available', null],
      ['other-office', 'hidden', 'head-office'],
    ]);
    // A tenant without a row of its own.
    const newcomer = chiefOf('newcomer');
    expect((await sharedList(newcomer)).map(({ tenant }) => tenant)).toEqual(['other-office']);
    expect((await chat(newcomer)).status).toBe(403);
    await companies.must(other, 'DELETE', '/api/models/shared-chat');
  });
});

describe('sharing', () => {
  it('is for administrators of the owning tenant, who alone change a shared row', async () => {
    await companies.lend('vendor', 'head-office');
    const spec = { deployments: [{ provider: 'vendor', model: 'upstream' }] };
    const offered = await companies.as(ownerDeveloper, 'POST', '/api/models', { name: 'mine', spec: { ...spec, shared_with: ['branch'] } });
    expect([offered.status, offered.json.error.param]).toEqual([403, 'spec.shared_with']);
    await companies.must(ownerDeveloper, 'POST', '/api/models', { name: 'mine', spec });
    expect((await companies.as(ownerDeveloper, 'PATCH', '/api/models/mine', { spec: { shared_with: ['branch'] } })).status).toBe(403);
    await companies.must(owner, 'PATCH', '/api/models/mine', { spec: { shared_with: ['branch'] } });
    for (const [method, body] of [['PATCH', { spec: { description: 'x' } }] as const, ['DELETE', undefined] as const])
      expect((await companies.as(ownerDeveloper, method, '/api/models/mine', body)).status).toBe(403);
    await companies.must(owner, 'DELETE', '/api/models/mine');
  });

  it('leaves nothing below a shared row to a developer: neither the provider that its calls go to nor the definitions of a server', async () => {
    const address = (url: string): object => ({ kind: 'openai-compatible', options: { base_url: url, api_key: 'own' } });
    await companies.must(ownerDeveloper, 'POST', '/api/providers', { name: 'own', spec: address(vendor.url) });
    const deployments = [{ provider: 'own', model: 'upstream' }];
    await companies.must(owner, 'POST', '/api/models', { name: 'below', spec: { deployments, shared_with: ['branch'] } });
    const elsewhere = { spec: { options: { base_url: tools.url, api_key: 'own' } } };
    const changes: readonly [string, string, object?][] = [
      ['PATCH', '/api/providers/own', elsewhere],
      ['PUT', '/api/providers/own', { spec: address(tools.url) }],
      ['PATCH', '/api/providers/own', { enabled: false }],
      ['POST', '/api/providers/own/owner', { owner: 'chief-of-head-office' }],
    ];
    for (const [method, path, body] of changes) {
      const { status, json } = await companies.as(ownerDeveloper, method, path, body);
      expect([method, status, json.error?.message]).toEqual([method, 403, expect.stringContaining('a provider that a shared model calls')]);
    }
    await companies.must(owner, 'PATCH', '/api/models/below', { spec: { shared_with: [] } });
    await companies.must(ownerDeveloper, 'PATCH', '/api/providers/own', elsewhere);

    await companies.must(owner, 'POST', '/api/mcp-servers/files/owner', { owner: 'their-developer' });
    const items = [{ kind: 'tool', name: 'say', digest: '0'.repeat(64) }];
    const approve = (person: Person): Promise<Answer> => companies.as(person, 'POST', '/api/mcp-servers/files/items/approve', { items });
    const refused = await approve(ownerDeveloper);
    expect([refused.status, refused.json.error.message]).toEqual([403, expect.stringContaining('only administrators approve')]);
    expect((await approve(owner)).status, 'only the digest is wrong').toBe(409);
    await companies.must(owner, 'PATCH', '/api/mcp-servers/files', { spec: { shared_with: [] } });
    expect((await approve(ownerDeveloper)).status).toBe(409);
    await companies.must(owner, 'PATCH', '/api/mcp-servers/files', { spec: { shared_with: ['branch'] } });
  });

  it('is refused for what would take more along than the row itself', async () => {
    const refused = async (path: string, spec: object): Promise<void> => {
      const { status, json } = await companies.as(owner, 'POST', path, { name: 'x', spec });
      expect([status, json.error.param], JSON.stringify(json)).toEqual([400, 'spec.shared_with']);
    };
    await refused('/api/models', modelSpec({ shared_with: ['head-office'] }));
    await refused('/api/mcp-servers', { kind: 'virtual', options: { tools: ['files/say'] }, shared_with: ['branch'] });
  });

  it('withdrawn, it is closed at once, does not wait for the other tenant, and the grants of that tenant say so', async () => {
    expect((await chat(user)).status).toBe(200);
    await offer('models', 'shared-chat', []);
    expect([(await chat(user)).status, (await chat(admin)).status]).toEqual([404, 404]);
    expect((await sharedList(admin)).map(({ name }) => name)).not.toContain('shared-chat');
    expect((await companies.must(admin, 'GET', '/api/config/problems')).text).toContain('no longer shared');
    await offer('models', 'shared-chat', ['branch']);
    expect((await chat(user)).status).toBe(200);
    await companies.must(owner, 'PATCH', '/api/models/shared-chat', { enabled: false });
    expect((await chat(user)).status).toBe(404);
    await companies.must(owner, 'PATCH', '/api/models/shared-chat', { enabled: true });
  });

  it('deleted and made again under its name, it is another row, which no earlier grant opens', async () => {
    await companies.must(owner, 'DELETE', '/api/skills/greet');
    await companies.must(owner, 'DELETE', '/api/models/shared-chat');
    await companies.must(owner, 'POST', '/api/models', { name: 'shared-chat', spec: modelSpec({ shared_with: ['branch'] }) });
    expect((await chat(user)).status).toBe(403);
    expect((await sharedList(admin)).find(({ name }) => name === 'shared-chat')).toMatchObject({ state: 'available', granted: false });
  });
});

describe('the plan of an import', () => {
  const document = (kind: string, name: string, spec: object): object => ({ apiVersion: 'pailou/v1', kind, metadata: { name }, spec });
  const plan = async (documents: readonly object[], more: object = {}): Promise<Record<string, unknown>[]> =>
    (await companies.must(owner, 'POST', '/api/config/apply', { documents, dry_run: true, ...more })).json.changes as Record<
      string,
      unknown
    >[];

  it('names the tenants that a change reaches: of a shared row, of its provider, and of a row that is shared no longer', async () => {
    const vendorSpec = { kind: 'openai-compatible', options: { base_url: vendor.url, api_key: 'sk-next' } };
    const changes = await plan([
      document('Provider', 'vendor', vendorSpec),
      document('Model', 'shared-chat', modelSpec()),
      document('Model', 'own-chat', modelSpec({ description: 'Another text' })),
      document('Model', 'new-chat', modelSpec({ shared_with: ['*'] })),
    ]);
    expect(Object.fromEntries(changes.map(({ name, tenants }) => [name, tenants]))).toEqual({
      vendor: ['branch'],
      'shared-chat': ['branch'],
      'own-chat': undefined,
      'new-chat': ['*'],
    });
  });
});
