/** A background run may outlive its token, but not the last known rights of its caller. */
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import { chiefOf, type Companies, startCompanies } from './companies.ts';
import { eventually, startGateway } from './gateway.ts';
import { chunks, startVendor, type Vendor } from './vendor.ts';

let companies: Companies;
let vendor: Vendor;
const chief = chiefOf('acme');
const grants = new Map<string, string>();
const lastsMs = 3_000;

beforeAll(async () => {
  vendor = await startVendor();
  companies = await startCompanies({ PAILOU_RECHECK_SECONDS: '1' });
  const provider = { kind: 'openai-compatible', options: { base_url: vendor.url } };
  await companies.must(chief, 'POST', '/api/providers', { name: 'vendor', spec: provider });
  await companies.must(chief, 'POST', '/api/models', { name: 'endless', spec: { deployments: [{ provider: 'vendor', model: 'm' }] } });
  const spec = { kind: 'prompt', description: 'd', model: 'endless', options: { instructions: 'Go on.' } };
  await companies.must(chief, 'POST', '/api/skills', { name: 'going', spec });
});
afterAll(async () => {
  await companies[Symbol.asyncDispose]();
  await vendor[Symbol.asyncDispose]();
});
afterEach(() => void vi.useRealTimers());
beforeEach(async () => {
  vendor.behave((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const [first = '', word = ''] = chunks(['word ']);
    response.write(first);
    const timer = setInterval(() => response.write(word), 50);
    response.on('close', () => clearInterval(timer));
  });
  for (const capability of ['model/endless', 'skill/going'])
    if (!grants.has(capability)) {
      const spec = { subject_type: 'user', subject: 'uma', capability, action: 'use' };
      grants.set(capability, (await companies.must(chief, 'POST', '/api/grants', { spec })).json.name as string);
    }
});

/** A token that expires within seconds: one second, plus the clock skew of thirty. */
const briefToken = (): Promise<string> => {
  const { service, signer } = companies;
  const exp = Math.floor((Date.now() + lastsMs) / 1_000) - 30;
  return service.sign(signer, { sub: 'uma', tenant_id: 'acme', roles: ['user'], scope: 'llm:*:view llm:*:use', exp });
};

it.each(['skill/going', 'model/endless'])('goes on without its token, and ends without %s', async (capability) => {
  const brief = await briefToken();
  const started = await companies.with(brief, 'POST', '/v1/skills/going/runs', { input: { text: 'x' }, async: true });
  expect(started.status, started.text).toBe(202);
  const path = `/v1/runs/${started.json.id}`;
  const { service, signer } = companies;
  const later = await service.sign(signer, { sub: 'uma', tenant_id: 'acme', roles: ['user'], scope: 'llm:*:view llm:*:use' });
  const standing = async (): Promise<{ status: string }> => (await companies.with(later, 'GET', path)).json;
  await eventually(
    async () => (await companies.with(brief, 'GET', path)).json.error?.code,
    (code) => code === 'token_expired',
    10_000,
  );
  // Longer than one re-check.
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  expect(await standing()).toMatchObject({ status: 'running' });
  await companies.must(chief, 'DELETE', `/api/grants/${grants.get(capability)}`);
  grants.delete(capability);
  expect(await eventually(standing, ({ status }) => status !== 'running')).toMatchObject({
    status: 'failed',
    error: { code: 'permission_denied', message: expect.stringContaining(`no longer use ${capability}`) },
  });
});

const day = 86_400_000;
it.each(['revoked', 'run out'])(
  'begun with the short token of a key, it goes on without the token, and ends when the key is %s',
  async (end) => {
    await using gateway = await startGateway({ PAILOU_API_KEYS: 'exchange', PAILOU_RECHECK_SECONDS: '1' });
    const made = async (path: string, body: object) => expect((await gateway.as('admin', 'POST', path, body)).status).toBe(201);
    await made('/api/providers', { name: 'vendor', spec: { kind: 'openai-compatible', options: { base_url: vendor.url } } });
    await made('/api/models', { name: 'endless', spec: { deployments: [{ provider: 'vendor', model: 'm' }] } });
    await made('/api/skills', {
      name: 'going',
      spec: { kind: 'prompt', description: 'd', model: 'endless', options: { instructions: 'Go.' } },
    });
    const { id, key } = (await gateway.as('developer', 'POST', '/api/keys', {})).json as { id: string; key: string };
    const exchanged = await gateway.as(null, 'POST', '/auth/exchange', undefined, { authorization: `Bearer ${key}` });
    const brief = { authorization: `Bearer ${exchanged.json.access_token}` };
    const started = await gateway.as(null, 'POST', '/v1/skills/going/runs', { input: { text: 'x' }, async: true }, brief);
    expect(started.status, started.text).toBe(202);
    const path = `/v1/runs/${started.json.id}`;
    const standing = async (): Promise<{ status: string }> => (await gateway.as('developer', 'GET', path)).json;
    vi.useFakeTimers({ toFake: ['Date'], now: Date.now() + 301_000 });
    expect((await gateway.as(null, 'GET', path, undefined, brief)).json.error.code).toBe('token_expired');
    // Longer than it takes to look once.
    await new Promise((resolve) => setTimeout(resolve, 1_500));
    expect(await standing()).toMatchObject({ status: 'running' });
    if (end === 'revoked') await gateway.as('developer', 'DELETE', `/api/keys/${id}`);
    else {
      const { aborts } = vendor;
      vi.setSystemTime(Date.now() + 91 * day);
      await eventually(
        () => Promise.resolve(vendor.aborts),
        (count) => count > aborts,
      );
      // The caller now has a new token.
      vi.useRealTimers();
    }
    expect(await eventually(standing, ({ status }) => status !== 'running')).toMatchObject({
      status: 'failed',
      error: { code: 'token_invalid' },
    });
  },
);
