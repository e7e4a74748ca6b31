/** A stored secret is dropped when the address of its row changes, whichever role and endpoint changes it. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chiefOf, type Companies, type Person, startCompanies } from './companies.ts';
import { startAttackerServer, type AttackerServer } from './attacker-server.ts';
import { startVendor, type Vendor } from './vendor.ts';

const chief = chiefOf('acme');
const eve: Person = { subject: 'eve', tenant: 'acme', roles: ['developer'] };
const canary = 'the-company-key-canary';
let companies: Companies;
let vendor: Vendor;
let attacker: AttackerServer;
const owned = new AsyncDisposableStack();

/** A plugin kind with nested addresses and secrets in its options; one address is not in URL form. */
const plugin = `
import { z } from '${join(import.meta.dirname, '../../node_modules/zod/index.js')}';
const secret = () => z.string().min(1).meta({ secret: true });
const place = z.strictObject({ where: z.string(), key: secret().optional() });
export default {
  type: 'provider',
  kind: 'nested',
  title: 'Nested',
  options: z.strictObject({ places: z.array(place), zone: z.string().meta({ address: true }), note: z.string().default('') }),
  create: ({ places }) => ({
    formats: { chat: 'openai' },
    address: () => places[0].where + '/v1/chat/completions',
    authorize(headers) { headers.authorization = 'Bearer ' + places[0].key; },
  }),
};
`;

beforeAll(async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pailou-plugins-'));
  owned.defer(() => rm(folder, { recursive: true, force: true }));
  await writeFile(join(folder, 'nested.mjs'), plugin);
  vendor = owned.use(await startVendor());
  attacker = owned.use(await startAttackerServer());
  companies = owned.use(await startCompanies({ PAILOU_PLUGINS_DIR: folder }));
  await companies.must(eve, 'GET', '/api/me');
});
afterAll(() => owned.disposeAsync());

const compatible = (url: string, key: string, more: object = {}) => ({
  kind: 'openai-compatible',
  options: { base_url: url, api_key: key, ...more },
});

async function providerOfEve(name: string): Promise<void> {
  await companies.must(chief, 'POST', '/api/providers', { name, owner: 'eve', spec: compatible(`${vendor.url}/v1`, canary) });
}

describe('a masked secret of a provider', () => {
  it('is refused with another origin in a change and a trial, for its owner and for administrators, and never sent there', async () => {
    await providerOfEve('company');
    for (const who of [eve, chief]) {
      for (const url of [`${attacker.url}/v1`, vendor.url.replace('http:', 'https:'), `http://localhost:${new URL(vendor.url).port}/v1`]) {
        const spec = compatible(url, '***');
        const changed = await companies.as(who, 'PUT', '/api/providers/company', { spec });
        expect(changed.status, `${who.subject} ${url} ${changed.text}`).toBe(400);
        expect(changed.json.error.param).toBe('spec.options.base_url');
        expect(changed.json.error.message).toContain('Write every secret of the row again');
        const tried = await companies.as(who, 'POST', '/api/providers/test', { spec, name: 'company', model: 'm' });
        expect(tried.status, tried.text).toBe(400);
      }
    }
    expect(attacker.received(canary)).toBe(false);
  });

  it('is kept when only the path or another field changes', async () => {
    await providerOfEve('kept');
    await companies.must(eve, 'PUT', '/api/providers/kept', { spec: compatible(`${vendor.url}/v2`, '***') });
    const tried = await companies.must(eve, 'POST', '/api/providers/test', {
      spec: compatible(`${vendor.url}/v2`, '***'),
      name: 'kept',
      model: 'm',
    });
    expect(tried.json.ok, tried.text).toBe(true);
    expect(vendor.requests.at(-1)?.headers.authorization).toBe(`Bearer ${canary}`);
  });

  it('is written again with the new address', async () => {
    await providerOfEve('moved');
    await companies.must(eve, 'PUT', '/api/providers/moved', { spec: compatible(`${attacker.url}/v1`, 'a-key-of-eves-own') });
    expect(attacker.received(canary)).toBe(false);
  });

  it('is restored with its own address when an administrator rolls back', async () => {
    const name = 'rolled';
    await providerOfEve(name);
    const { revision } = (await companies.must(chief, 'GET', `/api/providers/${name}`)).json as { revision: number };
    await companies.must(eve, 'PUT', `/api/providers/${name}`, { spec: compatible(`${attacker.url}/v1`, 'a-key-of-eves-own') });
    await companies.must(chief, 'POST', '/api/config/rollback', { revision });
    const { spec } = (await companies.must(chief, 'GET', `/api/providers/${name}`)).json as { spec: { options: { base_url: string } } };
    expect(spec.options.base_url).toBe(`${vendor.url}/v1`);
    await companies.must(chief, 'POST', '/api/providers/test', { spec: compatible(`${vendor.url}/v1`, '***'), name, model: 'm' });
    expect(attacker.received(canary)).toBe(false);
  });
});

describe('a masked secret of an MCP server', () => {
  const server = (url: string, more: object) => ({ kind: 'http', options: { url, ...more } });

  it.each([
    ['a header', { headers: { 'x-api-key': canary } }, { headers: { 'x-api-key': '***' } }],
    [
      'a client secret',
      { credentials: { type: 'client_credentials', token_url: 'http://127.0.0.1:9/token', client_id: 'x', client_secret: canary } },
      { credentials: { type: 'client_credentials', token_url: 'http://127.0.0.1:9/token', client_id: 'x', client_secret: '***' } },
    ],
  ])('(%s) is refused at another origin', async (what, given, masked) => {
    const name = what.replaceAll(' ', '-');
    await companies.must(chief, 'POST', '/api/mcp-servers', { name, owner: 'eve', spec: server(`${vendor.url}/mcp`, given) });
    for (const who of [eve, chief]) {
      const spec = server(`${attacker.url}/mcp`, masked);
      expect((await companies.as(who, 'PUT', `/api/mcp-servers/${name}`, { spec })).status).toBe(400);
      expect((await companies.as(who, 'POST', '/api/mcp-servers/test', { spec, name })).status).toBe(400);
    }
    await companies.must(eve, 'PUT', `/api/mcp-servers/${name}`, { spec: server(`${vendor.url}/other`, masked) });
    expect(attacker.received(canary)).toBe(false);
  });

  it('is refused beside a token endpoint that has moved', async () => {
    const at = (tokenUrl: string, secret: string) =>
      server(`${vendor.url}/mcp`, {
        credentials: { type: 'client_credentials', token_url: tokenUrl, client_id: 'x', client_secret: secret },
      });
    await companies.must(chief, 'POST', '/api/mcp-servers', { name: 'tokens', owner: 'eve', spec: at('http://127.0.0.1:9/token', canary) });
    const moved = await companies.as(eve, 'PUT', '/api/mcp-servers/tokens', { spec: at(`${attacker.url}/token`, '***') });
    expect(moved.status, moved.text).toBe(400);
    expect(moved.json.error.param).toBe('spec.options.credentials.token_url');
    expect(attacker.received(canary)).toBe(false);
  });

  it('is refused with another OpenAPI document, which may change the address', async () => {
    const document = (url: string) => ({
      openapi: '3.1.0',
      info: { title: 'x', version: '1' },
      servers: [{ url }],
      paths: { '/x': { get: { operationId: 'x' } } },
    });
    const rest = (url: string, key: string, as: (value: object) => unknown = (value) => value) => ({
      kind: 'openapi',
      options: { document: as(document(url)), query: { key } },
    });
    await companies.must(chief, 'POST', '/api/mcp-servers', { name: 'rest', owner: 'eve', spec: rest(vendor.url, canary) });
    for (const as of [(value: object) => value, (value: object) => JSON.stringify(value)])
      expect((await companies.as(eve, 'PUT', '/api/mcp-servers/rest', { spec: rest(attacker.url, '***', as) })).status).toBe(400);
    expect(attacker.received(canary)).toBe(false);
  });
});

describe('a masked secret of a kind of the operator’s own', () => {
  it('is bound to every address in its options, at any depth and in any form', async () => {
    const nested = (where: string, zone: string, key: string, more: object = {}) => ({
      kind: 'nested',
      options: { places: [{ where, key }], zone, ...more },
    });
    await companies.must(chief, 'POST', '/api/providers', { name: 'nested', owner: 'eve', spec: nested(vendor.url, 'north', canary) });
    const moved = await companies.as(eve, 'PUT', '/api/providers/nested', { spec: nested(attacker.url, 'north', '***') });
    expect(moved.status, moved.text).toBe(400);
    const otherZone = await companies.as(eve, 'PUT', '/api/providers/nested', { spec: nested(vendor.url, 'south', '***') });
    expect(otherZone.json.error).toMatchObject({ code: 'configuration_invalid', param: 'spec.options.zone' });
    await companies.must(eve, 'PUT', '/api/providers/nested', { spec: nested(vendor.url, 'north', '***', { note: 'mine' }) });
    expect(attacker.received(canary)).toBe(false);
  });
});
