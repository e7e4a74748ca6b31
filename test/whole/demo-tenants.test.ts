/** The demo rows of a first start in development mode, for an OAuth2 service whose tokens name tenants. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { audience } from '../auth/oauth-service.ts';
import { chiefOf, type Companies, type Person, startCompanies } from './companies.ts';
import { startGateway, type TestGateway } from './gateway.ts';

const owned = new AsyncDisposableStack();
let companies: Companies;
const una: Person = { subject: 'una', tenant: 'acme', roles: ['user'] };
const chat = { model: 'demo/echo', messages: [{ role: 'user', content: 'Hi' }] };

beforeAll(async () => {
  companies = owned.use(await startCompanies());
});
afterAll(() => owned.disposeAsync());

const demosOf = async (person: Person): Promise<readonly string[]> => {
  const { json } = await companies.must(person, 'GET', '/v1/models');
  return (json.data as { id: string }[]).map(({ id }) => id).filter((id) => id.startsWith('demo/'));
};

it('are there for the very first call of a tenant that only tokens name, also of several at a time', async () => {
  const answers = await Promise.all(Array.from({ length: 5 }, () => companies.as(una, 'POST', '/v1/chat/completions', chat)));
  expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
  expect(answers.map(({ headers }) => headers.get('x-pailou-revision'))).toEqual(['2', '2', '2', '2', '2']);
  expect(await demosOf(una)).toContain('demo/echo');
});

it('do not come back after an administrator deleted them, nor after a restart', async () => {
  const person: Person = { subject: 'rita', tenant: 'tidy', roles: ['user'] };
  expect(await demosOf(person)).toContain('demo/echo');
  const { json } = await companies.must(chiefOf('tidy'), 'GET', '/api/models');
  for (const { name } of json.data as { name: string }[])
    await companies.as(chiefOf('tidy'), 'DELETE', `/api/models/${encodeURIComponent(name)}`);
  expect(await demosOf(person)).not.toContain('demo/slow');
  await companies.restart();
  expect(await demosOf(person)).not.toContain('demo/slow');
});

it('are not written into a tenant that its administrator began to configure', async () => {
  await companies.must(chiefOf('own'), 'POST', '/api/providers', { name: 'demo', spec: { kind: 'demo' } });
  expect(await demosOf({ subject: 'otto', tenant: 'own', roles: ['user'] })).toEqual([]);
});

it('are not written into a configuration that began in production mode', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pailou-demo-'));
  owned.defer(() => rm(folder, { recursive: true }));
  const env = {
    PAILOU_DATA_DIR: folder,
    PAILOU_MASTER_KEY: randomBytes(32).toString('base64'),
    PAILOU_OAUTH_ISSUER: companies.service.issuer,
    PAILOU_OAUTH_PRESET: 'generic',
    PAILOU_OAUTH_AUDIENCE: audience,
  };
  const call = async (gateway: TestGateway, person: Person, method: string, path: string, body?: unknown) =>
    gateway.as(null, method, path, body, { authorization: `Bearer ${await companies.tokenOf(person)}` });
  {
    await using production = await startGateway({ ...env, PAILOU_MODE: 'production' });
    const spec = { kind: 'openai-compatible', options: { base_url: 'https://vendor.example/v1' } };
    expect((await call(production, chiefOf('acme'), 'POST', '/api/providers', { name: 'vendor', spec })).status).toBe(201);
  }
  await using development = await startGateway(env);
  expect((await call(development, chiefOf('new'), 'GET', '/v1/models')).json.data).toEqual([]);
});
