/** /metrics names models, vendors and tenants: in production it requires permission. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { chiefOf, type Companies, startCompanies } from './companies.ts';
import { startGateway, type TestGateway } from './gateway.ts';

const token = 'metrics-token-of-sixteen';
let development: TestGateway;
let companies: Record<'development' | 'production', Companies>;
let nodes: Record<'guarded' | 'unguarded', TestGateway>;

beforeAll(async () => {
  development = await startGateway();
  const production = (env: Record<string, string>) =>
    startGateway({
      PAILOU_MODE: 'production',
      PAILOU_OAUTH_ISSUER: development.gateway.issuer,
      PAILOU_OAUTH_PRESET: 'generic',
      PAILOU_OAUTH_AUDIENCE: development.url,
      PAILOU_MASTER_KEY: randomBytes(32).toString('base64'),
      PAILOU_LOG_LEVEL: 'error',
      ...env,
    });
  const PAILOU_MASTER_KEY = randomBytes(32).toString('base64');
  companies = {
    development: await startCompanies(),
    production: await startCompanies({ PAILOU_MODE: 'production', PAILOU_MASTER_KEY, PAILOU_LOG_LEVEL: 'error' }),
  };
  nodes = { guarded: await production({ PAILOU_METRICS_TOKEN: token }), unguarded: await production({}) };
});
afterAll(async () => {
  for (const each of [...Object.values(nodes), ...Object.values(companies), development]) await each[Symbol.asyncDispose]();
});

const read = (node: TestGateway, authorization?: string) =>
  node.as(null, 'GET', '/metrics', undefined, authorization === undefined ? {} : { authorization });
const bearer = async (role: 'admin' | 'user') => `Bearer ${await development.token(role)}`;

it('are open with the development identity service', async () => {
  expect((await read(development)).status).toBe(200);
});

it('are refused to administrators of another tenant, in any mode, without a name', async () => {
  for (const [mode, company] of Object.entries(companies)) {
    expect((await company.gateway.as(null, 'GET', '/metrics')).status, mode).toBe(401);
    const foreign = await company.as(chiefOf('partner'), 'GET', '/metrics');
    expect(foreign, mode).toMatchObject({ status: 403, json: { error: { code: 'permission_denied' } } });
    expect(foreign.text).not.toContain('pailou_');
    expect((await company.as({ subject: 'ann', tenant: 'default', roles: ['developer'] }, 'GET', '/metrics')).status, mode).toBe(403);
    const own = await company.as(chiefOf('default'), 'GET', '/metrics');
    expect(own.status, mode).toBe(200);
    expect(own.text).toContain('pailou_');
  }
});

it('in production are for administrators, unless a metrics token is set', async () => {
  expect((await read(nodes.unguarded)).status).toBe(401);
  expect((await read(nodes.unguarded, await bearer('user'))).status).toBe(403);
  const answer = await read(nodes.unguarded, await bearer('admin'));
  expect(answer.status).toBe(200);
  expect(answer.text).toContain('pailou_');
});

it('with a metrics token, are open only to that token', async () => {
  expect(await read(nodes.guarded)).toMatchObject({ status: 401, json: { error: { code: 'token_missing' } } });
  for (const wrong of [`Bearer ${token}x`, `Bearer ${token.slice(1)}`, `bearer ${token} `, token, await bearer('admin')])
    expect(await read(nodes.guarded, wrong), wrong).toMatchObject({ status: 401, json: { error: { code: 'token_invalid' } } });
  const answer = await read(nodes.guarded, `Bearer ${token}`);
  expect(answer.status).toBe(200);
  expect(answer.text).toContain('pailou_');
});
