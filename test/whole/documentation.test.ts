/** /docs and /openapi.json describe a gateway: in production they require a token or a session. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { chiefOf, type Companies, startCompanies } from './companies.ts';

const pages = ['/openapi.json', '/docs', '/docs/', '/docs/json', '/docs/yaml', '/docs/static/index.html', '/docs/static/swagger-ui.css'];
let nodes: Record<'development' | 'production' | 'opened', Companies>;

beforeAll(async () => {
  const production = { PAILOU_MODE: 'production', PAILOU_MASTER_KEY: randomBytes(32).toString('base64'), PAILOU_LOG_LEVEL: 'error' };
  nodes = {
    development: await startCompanies(),
    production: await startCompanies(production),
    opened: await startCompanies({ ...production, PAILOU_DOCS: 'open' }),
  };
});
afterAll(async () => {
  for (const each of Object.values(nodes)) await each[Symbol.asyncDispose]();
});

it('in production they need a token of any kind', async () => {
  const company = nodes.production;
  for (const page of pages) {
    expect(await company.gateway.as(null, 'GET', page), page).toMatchObject({ status: 401, json: { error: { code: 'token_missing' } } });
    expect((await company.as(chiefOf('any'), 'GET', page)).status, page).toBeLessThan(400);
    expect((await company.as({ subject: 'ann', tenant: 'any', roles: ['viewer'] }, 'GET', page)).status, page).toBeLessThan(400);
  }
});

it('in development mode they are public, and in production where the operator configures it', async () => {
  for (const { gateway } of [nodes.development, nodes.opened])
    for (const page of pages) expect((await gateway.as(null, 'GET', page)).status, page).toBeLessThan(400);
});
