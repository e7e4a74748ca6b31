/** A model may use a provider only with a permission on it, at a price that a manager of the provider set. */
import { generateKeyPairSync } from 'node:crypto';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { chiefOf, type Companies, type Person, startCompanies } from './companies.ts';
import { eventually } from './gateway.ts';
import { startAttackerServer } from './attacker-server.ts';
import { startVendor, type Vendor } from './vendor.ts';

const chief = chiefOf('acme');
const eve: Person = { subject: 'eve', tenant: 'acme', roles: ['developer'] };
const dan: Person = { subject: 'dan', tenant: 'acme', roles: ['developer'] };
let companies: Companies;
let vendor: Vendor;
const owned = new AsyncDisposableStack();
let serial = 0;
let provider = '';

beforeAll(async () => {
  vendor = owned.use(await startVendor());
  companies = owned.use(await startCompanies());
  for (const person of [chief, eve, dan]) await companies.must(person, 'GET', '/api/me');
});
afterAll(() => owned.disposeAsync());
beforeEach(async () => {
  provider = `company-${serial++}`;
  await companies.must(chief, 'POST', '/api/providers', { name: provider, owner: null, spec: providerSpec() });
});

const providerSpec = (more: object = {}) => ({
  kind: 'openai-compatible',
  options: { base_url: `${vendor.url}/v1`, api_key: 'company-key-canary' },
  ...more,
});
const modelOn = (name: string, more: object = {}, model = 'm') => ({ deployments: [{ provider: name, model, ...more }] });
const grantTo = (subject: string, capability: string, more: object = {}) => ({
  spec: { subject_type: 'user', subject, capability, action: 'use', ...more },
});
const ask = (person: Person, model: string) =>
  companies.as(person, 'POST', '/v1/chat/completions', { model, messages: [{ role: 'user', content: 'Hi' }] });
const problems = async () => (await companies.must(chief, 'GET', '/api/config/problems')).json.data as { name: string; message: string }[];

describe('a developer’s model', () => {
  it('cannot use a company provider without a right: at creation, by a change, in a trial, or under another name', async () => {
    const name = `${provider}-mine`;
    const refused = await companies.as(eve, 'POST', '/api/models', { name, spec: modelOn(provider) });
    expect(refused.status, refused.text).toBe(403);
    expect(refused.json.error.param).toBe('spec.deployments[0].provider');
    expect(refused.json.error.message).toContain(`a grant on provider/${provider}`);
    expect((await companies.as(eve, 'POST', '/api/models/test', { spec: modelOn(provider) })).status).toBe(403);
    await companies.must(eve, 'POST', '/api/providers', { name: `${provider}-eves`, spec: providerSpec() });
    await companies.must(eve, 'POST', '/api/models', { name, spec: modelOn(`${provider}-eves`) });
    expect((await companies.as(eve, 'PUT', `/api/models/${name}`, { spec: modelOn(provider) })).status).toBe(403);
    expect(vendor.requests.length).toBe(0);
  });

  it('gains no provider through a name that did not exist at save: not by an id, not by a later provider', async () => {
    const { id } = (await companies.must(eve, 'GET', `/api/providers/${provider}`)).json as { id: string };
    const later = `${provider}-later`;
    const names = [
      [id, 'm', provider, 'm'],
      [`${id}/a`, 'b', provider, 'a/b'],
      [later, 'm', later, 'm'],
    ] as const;
    for (const [index, [name, model]] of names.entries())
      await companies.must(eve, 'POST', '/api/models', { name: `${provider}-${index}`, enabled: false, spec: modelOn(name, {}, model) });
    await companies.must(chief, 'POST', '/api/providers', { name: later, owner: null, spec: providerSpec() });
    for (const [index, [, , name, model]] of names.entries()) {
      const swapped = await companies.as(eve, 'PUT', `/api/models/${provider}-${index}`, { enabled: true, spec: modelOn(name, {}, model) });
      expect({ name, model, status: swapped.status }).toEqual({ name, model, status: 403 });
    }
    expect(vendor.requests.length).toBe(0);
  });

  it('can use one that is granted to its owner, within the offered models', async () => {
    const offering = { offered_models: ['small', 'mini-*'] };
    await companies.must(chief, 'PUT', `/api/providers/${provider}`, {
      spec: { ...providerSpec(offering), options: { base_url: `${vendor.url}/v1`, api_key: '***' } },
    });
    await companies.must(chief, 'POST', '/api/grants', grantTo('eve', `provider/${provider}`));
    for (const [model, status] of [
      ['small', 201],
      ['mini-4', 201],
      ['large', 403],
    ] as const) {
      const answer = await companies.as(eve, 'POST', '/api/models', { name: `${provider}-${model}`, spec: modelOn(provider, {}, model) });
      expect(answer.status, `${model} ${answer.text}`).toBe(status);
      expect(answer.text.includes('does not offer the model \\"large\\"')).toBe(status === 403);
    }
    expect((await ask(eve, `${provider}-small`)).status).toBe(200);
    expect((await companies.as(dan, 'POST', '/api/models', { name: `${provider}-dan`, spec: modelOn(provider, {}, 'small') })).status).toBe(
      403,
    );
  });

  it('loses the deployment when the grant is revoked, changed or expired, and reports that under problems', async () => {
    const lend = async (more: object = {}): Promise<string> =>
      ((await companies.must(chief, 'POST', '/api/grants', grantTo('eve', `provider/${provider}`, more))).json as { name: string }).name;
    const name = `${provider}-lent`;
    const works = async () => (await ask(eve, name)).status;
    const first = await lend();
    await companies.must(eve, 'POST', '/api/models', { name, spec: modelOn(provider) });
    expect(await works()).toBe(200);
    await companies.must(chief, 'DELETE', `/api/grants/${first}`);
    expect(await works()).not.toBe(200);
    expect((await problems()).find((each) => each.name === name)?.message).toContain(`its writer has no right to it`);

    const second = await lend();
    await companies.must(eve, 'PUT', `/api/models/${name}`, { spec: modelOn(provider) });
    expect(await works()).toBe(200);
    await companies.must(chief, 'PUT', `/api/grants/${second}`, grantTo('dan', `provider/${provider}`));
    expect(await works()).not.toBe(200);
    await companies.must(chief, 'DELETE', `/api/grants/${second}`);

    await lend({ expires_at: new Date(Date.now() + 1_500).toISOString() });
    await companies.must(eve, 'PUT', `/api/models/${name}`, { spec: { ...modelOn(provider), description: 'again' } });
    expect(await works()).toBe(200);
    await eventually(works, (status) => status !== 200);
  });

  it('keeps an administrator’s deployment through its owner’s changes, and no more', async () => {
    const name = `${provider}-given`;
    await companies.must(chief, 'POST', '/api/models', { name, owner: 'eve', spec: modelOn(provider, {}, 'm') });
    await companies.must(eve, 'PUT', `/api/models/${name}`, { spec: { ...modelOn(provider, {}, 'm'), description: 'mine' } });
    expect((await ask(eve, name)).status).toBe(200);
    expect((await companies.as(eve, 'PUT', `/api/models/${name}`, { spec: modelOn(provider, {}, 'dearer') })).status).toBe(403);
  });

  it('cannot be granted on: a developer grants no foreign provider, and their own provider only by name', async () => {
    await companies.must(chief, 'POST', '/api/grants', grantTo('eve', `provider/${provider}`));
    for (const capability of [`provider/${provider}`, 'provider/*'])
      expect((await companies.as(eve, 'POST', '/api/grants', grantTo('dan', capability))).status).toBe(403);
    await companies.must(eve, 'POST', '/api/providers', { name: `${provider}-eves`, spec: providerSpec() });
    await companies.must(eve, 'POST', '/api/grants', grantTo('dan', `provider/${provider}-eves`));
    await companies.must(dan, 'POST', '/api/models', { name: `${provider}-dans`, spec: modelOn(`${provider}-eves`) });
  });

  it('reaches no model beyond the offered ones through a name with path segments', async () => {
    await using attacker = await startAttackerServer({ status: 404, body: '{}' });
    await companies.must(chief, 'POST', '/api/providers', {
      name: `${provider}-gemini`,
      owner: null,
      spec: { kind: 'gemini', offered_models: ['mini-*'], options: { base_url: `${attacker.url}/v1beta`, api_key: 'k' } },
    });
    await companies.must(chief, 'POST', '/api/grants', grantTo('eve', `provider/${provider}-gemini`));
    const name = `${provider}-climbing`;
    const climbing = await companies.as(eve, 'POST', '/api/models', {
      name,
      spec: modelOn(`${provider}-gemini`, {}, 'mini-/../models/large'),
    });
    expect(climbing.status, climbing.text).toBe(400);
    expect(climbing.json.error.param).toBe('spec.deployments[0].model');
    // The catalogue finds a price by the model name.
    await companies.must(eve, 'POST', '/api/models', { name, spec: modelOn(`${provider}-gemini`, {}, 'mini-/./gemini-2.5-pro') });
    const asked = await ask(eve, name);
    expect(asked.json.error.code).toBe('upstream_model_not_found');
    expect(attacker.receivedTexts).toEqual([]);
  });

  it('cannot be replaced through a vendor field of the caller', async () => {
    const spec = { ...providerSpec(), kind: 'openrouter' };
    await companies.must(chief, 'POST', '/api/providers', { name: `${provider}-router`, owner: null, spec });
    await companies.must(chief, 'POST', '/api/models', { name: `${provider}-routed`, spec: modelOn(`${provider}-router`) });
    const called = vendor.requests.length;
    for (const more of [{ models: ['openai/dearer'] }, { route: 'fallback' }, { preset: 'dearer' }]) {
      const messages = [{ role: 'user', content: 'Hi' }];
      const answer = await companies.as(eve, 'POST', '/v1/chat/completions', { model: `${provider}-routed`, messages, ...more });
      expect({ status: answer.status, param: answer.json.error?.param }).toEqual({ status: 400, param: Object.keys(more)[0] });
    }
    expect(vendor.requests.length).toBe(called);
    expect((await ask(eve, `${provider}-routed`)).status).toBe(200);
  });

  it('returns by a rollback with its former right, which expires as before', async () => {
    const name = `${provider}-back`;
    await companies.must(chief, 'POST', '/api/grants', grantTo('eve', `provider/${provider}`));
    await companies.must(eve, 'POST', '/api/models', { name, spec: modelOn(provider) });
    const { revision } = (await companies.must(chief, 'GET', '/api/config/revision')).json as { revision: number };
    await companies.must(eve, 'DELETE', `/api/models/${name}`);
    await companies.must(chief, 'POST', '/api/config/rollback', { revision });
    expect((await ask(eve, name)).status).toBe(200);
    const grants = (await companies.must(chief, 'GET', '/api/grants?limit=500')).json.data as {
      name: string;
      spec: { capability: string };
    }[];
    for (const each of grants.filter(({ spec }) => spec.capability === `provider/${provider}`))
      await companies.must(chief, 'DELETE', `/api/grants/${each.name}`);
    expect((await ask(eve, name)).status).not.toBe(200);
  });

  it('cannot be transferred to a user who may not use the provider of its owner', async () => {
    await companies.must(eve, 'POST', '/api/providers', { name: `${provider}-eves`, spec: providerSpec() });
    await companies.must(eve, 'POST', '/api/models', { name: `${provider}-m`, spec: modelOn(`${provider}-eves`) });
    const handed = await companies.as(eve, 'POST', `/api/models/${provider}-m/owner`, { owner: 'dan' });
    expect(handed.status, handed.text).toBe(400);
    expect(handed.json.error.message).toContain(`provider/${provider}-eves`);
    await companies.must(chief, 'POST', `/api/models/${provider}-m/owner`, { owner: 'dan' });
    expect((await ask(dan, `${provider}-m`)).status).toBe(200);
  });
});

describe('the price of a call', () => {
  const price = { currency: 'USD', input: 0, output: 0 };

  it('is not set by a user who only uses the provider', async () => {
    await companies.must(chief, 'POST', '/api/grants', grantTo('eve', `provider/${provider}`));
    const refused = await companies.as(eve, 'POST', '/api/models', { name: `${provider}-free`, spec: modelOn(provider, { price }) });
    expect(refused.status, refused.text).toBe(403);
    expect(refused.json.error.param).toBe('spec.deployments[0].price');
    expect(refused.json.error.message).toContain('Leave the price out');
  });

  it('is set by the owner of the provider and by administrators, and kept by the owner of the model', async () => {
    const name = `${provider}-priced`;
    await companies.must(chief, 'POST', '/api/models', { name, owner: 'eve', spec: modelOn(provider, { price: { ...price, input: 7 } }) });
    await companies.must(eve, 'PUT', `/api/models/${name}`, {
      spec: { ...modelOn(provider, { price: { ...price, input: 7 } }), description: 'mine' },
    });
    expect((await companies.as(eve, 'PUT', `/api/models/${name}`, { spec: modelOn(provider, { price }) })).status).toBe(403);
    await companies.must(eve, 'POST', '/api/providers', { name: `${provider}-eves`, spec: providerSpec() });
    await companies.must(eve, 'POST', '/api/models', { name: `${provider}-own`, spec: modelOn(`${provider}-eves`, { price }) });
  });
});

describe('a limit of a provider', () => {
  it('applies whatever the model is called', async () => {
    await companies.must(chief, 'POST', '/api/models', { name: `${provider}-one`, spec: modelOn(provider) });
    await companies.must(chief, 'POST', '/api/models', { name: `${provider}-two`, spec: modelOn(provider) });
    await companies.must(chief, 'POST', '/api/limits', {
      name: `${provider}-limit`,
      spec: { subject_type: 'tenant', capability: `provider/${provider}`, requests_per_minute: 2 },
    });
    expect((await ask(chief, `${provider}-one`)).status).toBe(200);
    expect((await ask(chief, `${provider}-two`)).status).toBe(200);
    expect((await ask(chief, `${provider}-one`)).status).toBe(429);
    expect((await ask(chief, `${provider}-two`)).status).toBe(429);
  });
});

describe('a developer’s address', () => {
  it('is public unless the operator allows more; private ones need an administrator, and a name that resolves to one is refused', async () => {
    await using attacker = await startAttackerServer({ status: 500, body: 'inner-secret-canary' });
    await using strict = await startCompanies({ PAILOU_OUTBOUND_ALLOW_DEVELOPERS: '' });
    for (const person of [chief, eve]) await strict.must(person, 'GET', '/api/me');
    const at = (url: string) => ({ kind: 'openai-compatible', options: { base_url: `${url}/v1`, api_key: 'k' } });
    for (const url of [attacker.url, 'http://10.0.0.1', 'http://[::1]:9', 'http://localhost:9']) {
      const made = await strict.as(eve, 'POST', '/api/providers', { name: 'inner', spec: at(url) });
      expect(made.status, made.text).toBe(403);
      expect(made.json.error.message).toContain('PAILOU_OUTBOUND_ALLOW_DEVELOPERS');
      expect((await strict.as(eve, 'POST', '/api/providers/test', { spec: at(url), model: 'm' })).status).toBe(403);
      expect((await strict.as(eve, 'POST', '/api/mcp-servers', { name: 'inner', spec: { kind: 'http', options: { url } } })).status).toBe(
        403,
      );
    }
    // A name is resolved at each connection.
    const byName = at(`http://inner.localtest.me:${new URL(attacker.url).port}`);
    const named = await strict.as(eve, 'POST', '/api/providers/test', { spec: byName, model: 'm' });
    expect(named.json.ok).toBe(false);
    // A row that an administrator saved still connects after its owner changed another field.
    await strict.must(chief, 'POST', '/api/providers', { name: 'inner', owner: 'eve', spec: at(attacker.url) });
    await strict.must(eve, 'PUT', '/api/providers/inner', { spec: { ...at(attacker.url), offered_models: ['m'] } });
    expect(attacker.receivedTexts).toEqual([]);
    await strict.must(eve, 'POST', '/api/models', { name: 'inner', spec: modelOn('inner') });
    await strict.as(eve, 'POST', '/v1/chat/completions', { model: 'inner', messages: [{ role: 'user', content: 'Hi' }] });
    expect(attacker.receivedTexts.length).toBeGreaterThan(0);
  });

  it('is approved when an administrator saves the whole row, unchanged or with a private address', async () => {
    await using attacker = await startAttackerServer();
    await using strict = await startCompanies({ PAILOU_OUTBOUND_ALLOW_DEVELOPERS: '127.0.0.0/8' });
    for (const person of [chief, eve, dan]) await strict.must(person, 'GET', '/api/me');
    const at = (url: string, key = 'k') => ({ kind: 'openai-compatible', options: { base_url: `${url}/v1`, api_key: key } });
    await strict.must(eve, 'POST', '/api/providers', { name: 'same', spec: at(attacker.url) });
    await strict.must(eve, 'POST', '/api/providers', { name: 'moved', spec: at('https://example.com') });
    strict.gateway.env['PAILOU_OUTBOUND_ALLOW_DEVELOPERS'] = '';
    await strict.restart();
    const broken = async () =>
      ((await strict.must(chief, 'GET', '/api/config/problems')).json.data as { name: string }[]).map(({ name }) => name);
    expect(await broken()).toEqual(['same']);
    // A transfer approves no address.
    await strict.must(chief, 'POST', '/api/providers/same/owner', { owner: 'dan' });
    expect(await broken()).toEqual(['same']);
    await strict.must(chief, 'PUT', '/api/providers/same', { spec: at(attacker.url, '***') });
    await strict.must(chief, 'PUT', '/api/providers/moved', { spec: at(attacker.url) });
    expect(await broken()).toEqual([]);
    for (const name of ['same', 'moved']) {
      await strict.must(chief, 'POST', '/api/models', { name, spec: modelOn(name) });
      await strict.as(chief, 'POST', '/v1/chat/completions', { model: name, messages: [{ role: 'user', content: 'Hi' }] });
      expect(attacker.receivedTexts.filter((each) => each.startsWith('POST /v1/chat/completions'))).not.toEqual([]);
      attacker.receivedTexts.length = 0;
    }
  });

  it('that an administrator saved does not allow another one in a document or a key file', async () => {
    await using attacker = await startAttackerServer({ body: '{}' });
    await using strict = await startCompanies({ PAILOU_OUTBOUND_ALLOW_DEVELOPERS: '' });
    for (const person of [chief, eve]) await strict.must(person, 'GET', '/api/me');
    const paths = { '/x': { get: { operationId: 'x', responses: { 200: { description: 'Done.' } } } } };
    const rest = (url: string) => ({
      kind: 'openapi',
      options: { document: { openapi: '3.1.0', info: { title: 'T', version: '1' }, servers: [{ url }], paths } },
    });
    await strict.must(chief, 'POST', '/api/mcp-servers', { name: 'rest', owner: 'eve', spec: rest('https://example.com') });
    await strict.as(eve, 'PUT', '/api/mcp-servers/rest', { spec: rest(attacker.url) });
    await strict.as(eve, 'POST', '/api/mcp-servers/test', { name: 'rest', spec: rest(attacker.url) });
    const call = { jsonrpc: '2.0', id: 1, method: 'tools/call', params: { name: 'rest__x', arguments: {} } };
    await strict.as(eve, 'POST', '/mcp', call, { accept: 'application/json, text/event-stream' });
    expect(attacker.receivedTexts).toEqual([]);

    const { privateKey } = generateKeyPairSync('rsa', { modulusLength: 2_048 });
    const pem = privateKey.export({ type: 'pkcs8', format: 'pem' });
    const file = (uri: string) => JSON.stringify({ type: 'service_account', client_email: 'a@b.c', private_key: pem, token_uri: uri });
    const vertex = (uri: string) => ({ kind: 'vertex', options: { project: 'p', service_account: file(uri) } });
    await strict.must(chief, 'POST', '/api/providers', {
      name: 'vertex',
      owner: 'eve',
      spec: vertex('https://oauth2.googleapis.com/token'),
    });
    await strict.as(eve, 'PUT', '/api/providers/vertex', { spec: vertex(`${attacker.url}/token`) });
    await strict.as(eve, 'POST', '/api/providers/test', { name: 'vertex', spec: vertex(`${attacker.url}/token`), model: 'gemini' });
    expect(attacker.receivedTexts).toEqual([]);
    // A row that an administrator saved still connects after its owner changed another field.
    await strict.must(chief, 'POST', '/api/mcp-servers', { name: 'inner', owner: 'eve', spec: rest(attacker.url) });
    await strict.must(eve, 'PUT', '/api/mcp-servers/inner', { spec: { ...rest(attacker.url), description: 'mine' } });
    const inner = { ...call, params: { name: 'inner__x', arguments: {} } };
    const called = () => strict.as(eve, 'POST', '/mcp', inner, { accept: 'application/json, text/event-stream' });
    await eventually(called, () => attacker.receivedTexts.length > 0);
  });

  it('is not revealed by a trial: only the status and Pailou’s own text', async () => {
    await using attacker = await startAttackerServer({ status: 418, body: '{"error":{"message":"inner-secret-canary"}}' });
    const spec = { kind: 'openai-compatible', options: { base_url: `${attacker.url}/v1`, api_key: 'k' } };
    const tried = await companies.must(eve, 'POST', '/api/providers/test', { spec, model: 'm' });
    expect(tried.json).toMatchObject({ ok: false, error: { detail: 'HTTP 418' } });
    expect(tried.text).not.toContain('inner-secret-canary');
    const server = { kind: 'http', options: { url: attacker.url } };
    expect((await companies.as(eve, 'POST', '/api/mcp-servers/test', { spec: server })).text).not.toContain('inner-secret-canary');
    await companies.must(eve, 'POST', '/api/mcp-servers', { name: 'inner', spec: server });
    expect((await companies.as(eve, 'POST', '/api/mcp-servers/inner/sync')).text).not.toContain('inner-secret-canary');
    expect((await companies.must(chief, 'POST', '/api/providers/test', { spec, model: 'm' })).text).toContain('inner-secret-canary');
  });
});
