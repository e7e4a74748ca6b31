/** x-pailou-view-as: an administrator reads the API as another person would. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chiefOf, type Companies, type Person, startCompanies } from './companies.ts';
import { type Answer, eventually } from './gateway.ts';
import { operationsOf } from './id-parameters.ts';

let companies: Companies;
const chief = chiefOf('ours');
const user: Person = { subject: '李雷', tenant: 'ours', roles: ['user'] };
const foreigner: Person = { subject: 'their-user', tenant: 'theirs', roles: ['user'] };
const asUser = { 'x-pailou-view-as': encodeURIComponent(user.subject) };

const read = (path: string, viewer: Person = chief, headers: Record<string, string> = asUser): Promise<Answer> =>
  companies.as(viewer, 'GET', path, undefined, headers);

beforeAll(async () => {
  companies = await startCompanies();
  await companies.must(chief, 'POST', '/api/providers', { name: 'demo', spec: { kind: 'demo' } });
  const spec = { deployments: [{ provider: 'demo', model: 'echo' }] };
  for (const name of ['seen', 'hidden']) await companies.must(chief, 'POST', '/api/models', { name, spec });
  const grant = { subject_type: 'user', subject: user.subject, capability: 'model/seen', action: 'use' };
  await companies.must(chief, 'POST', '/api/grants', { spec: grant });
  const messages = [{ role: 'user', content: 'Hi' }];
  for (const [person, model] of [
    [user, 'seen'],
    [chief, 'hidden'],
  ] as const)
    await companies.must(person, 'POST', '/v1/chat/completions', { model, messages });
  await companies.must(foreigner, 'GET', '/api/me');
  await eventually(
    async () => (await companies.must(chief, 'GET', '/api/runs')).json.data.length as number,
    (count) => count === 2,
  );
  await eventually(
    async () => (await read('/api/me')).status,
    (status) => status === 200,
  );
});
afterAll(() => companies[Symbol.asyncDispose]());

describe('an administrator who views as a person', () => {
  it('reads what the person reads, and nothing that they may not see', async () => {
    for (const path of [
      '/v1/models',
      '/api/models',
      '/api/runs',
      '/api/keys',
      '/api/usage',
      '/api/reports/budgets',
      '/api/providers',
      '/api/health',
    ]) {
      const [viewed, own] = [await read(path), await companies.as(user, 'GET', path)];
      expect([path, viewed.status, viewed.json]).toEqual([path, own.status, own.json]);
      expect(viewed.text).not.toContain('hidden');
    }
    for (const path of ['/api/audit', '/api/people', '/api/grants', '/api/access/matrix', '/api/settings'])
      expect([path, (await read(path)).status]).toEqual([path, 403]);
    const { json } = await read('/api/me');
    const { expires_at: _own, ...me } = (await companies.as(user, 'GET', '/api/me')).json;
    expect(json).toMatchObject({ ...me, credential: 'token', viewed_by: 'chief-of-ours' });
  });

  it('asks for the route of a call as the person may', async () => {
    const route = (model: string) => companies.as(chief, 'POST', '/api/route/explain', { model, messages: [] }, asUser);
    expect([(await route('seen')).status, (await route('hidden')).status]).toEqual([200, 403]);
    expect((await companies.as(chief, 'POST', '/api/route/explain', { model: 'hidden', messages: [] })).status).toBe(200);
  });

  it('changes nothing, calls nothing and reads nothing personal', async () => {
    const operations = operationsOf((await companies.gateway.as(null, 'GET', '/openapi.json')).json);
    const isPublic = /^\/(auth|oauth|\.well-known|mcp$|livez|readyz|healthz|metrics|docs)/;
    const open: string[] = [];
    for (const { method, path } of operations.filter(({ path: each }) => !isPublic.test(each))) {
      const address = path.replaceAll(/\{[^}]+\}/g, 'x');
      const { status } = await companies.as(chief, method, address, method === 'GET' ? undefined : {}, asUser);
      if (status !== 403) open.push(`${method} ${path}`);
    }
    expect(open.filter((each) => !each.startsWith('GET '))).toEqual(['POST /api/route/explain']);
    for (const each of [
      '/v1/responses/{id}',
      '/v1/runs/{id}',
      '/api/mcp-servers/{name}/account',
      '/api/mcp-servers/{name}/account/callback',
    ])
      expect(open).not.toContain(`GET ${each}`);
    // It sees something at all.
    expect(open).toContain('GET /api/models');
  });

  it('is recorded with both names, and denials are those of the administrator', async () => {
    await read('/api/people');
    const audit = (act: string) =>
      eventually(
        async () =>
          (await companies.must(chief, 'GET', `/api/audit?act=${encodeURIComponent(act)}`)).json.data as {
            actor: string;
            target: string;
          }[],
        (entries) => entries.length > 0,
      );
    expect(await audit('viewed as')).toMatchObject([{ actor: 'chief-of-ours', target: expect.stringContaining('李雷') }]);
    expect((await audit('denied')).map(({ actor }) => actor)).not.toContain('李雷');
  });
});

it('is for administrators, for people of their tenant, and for one person at a time', async () => {
  expect((await read('/api/me', user, { 'x-pailou-view-as': 'chief-of-ours' })).status).toBe(403);
  expect((await read('/api/me', chief, { 'x-pailou-view-as': 'their-user' })).status).toBe(404);
  expect((await read('/api/me', chief, { 'x-pailou-view-as': 'nobody' })).status).toBe(404);
  const wrong = await read('/api/me', chief, { 'x-pailou-view-as': '%zz' });
  expect([wrong.status, wrong.json.error.param]).toEqual([400, 'x-pailou-view-as']);
});

it('gives nobody more than the administrator has', async () => {
  const narrow: Person = { subject: 'narrow', tenant: 'ours', roles: ['admin'], codes: ['llm:skill:view'] };
  expect((await read('/api/models', narrow)).status).toBe(403);
  expect((await read('/api/me', narrow)).json.permissions).toEqual(['llm:skill:view']);
});

it('does not open the gateway with a key', async () => {
  const { key } = await companies.keyOf(chief);
  expect((await companies.with(key, 'GET', '/v1/models', undefined, asUser)).status).toBe(403);
  expect((await companies.with(key, 'GET', '/v1/models')).status).toBe(200);
});
