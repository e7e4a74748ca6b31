/** Transfers of ownership over HTTP: permissions, targets and effects. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chiefOf, type Companies, type Person, startCompanies } from './companies.ts';
import { nodePrograms } from './stdio-programs.ts';
import { eventually } from './gateway.ts';

const chief = chiefOf('acme');
const foreignChief = chiefOf('rival');
const [ann, ben] = ['ann', 'ben'].map((subject): Person => ({ subject, tenant: 'acme', roles: ['developer'] })) as [Person, Person];
const reader: Person = { subject: 'rita', tenant: 'acme', roles: ['user'] };
const foreigner: Person = { subject: 'frank', tenant: 'rival', roles: ['developer'] };
const spec = { kind: 'demo' };
let companies: Companies;
let made = 0;

beforeAll(async () => {
  companies = await startCompanies(nodePrograms([['-e', '0']]));
  for (const person of [chief, ann, ben, reader, foreigner, foreignChief]) await companies.must(person, 'GET', '/api/me');
  // Rights from tokens are stored shortly afterwards.
  await eventually(
    () => companies.as(chief, 'GET', '/api/explain?capability=model/x&as=ben'),
    ({ status }) => status === 200,
  );
});
afterAll(() => companies[Symbol.asyncDispose]());

/** A provider that `owner` created. */
async function providerOf(owner: Person): Promise<string> {
  const name = `p-${++made}`;
  await companies.must(owner, 'POST', '/api/providers', { name, spec });
  return name;
}
const give = (who: Person, path: string, owner: unknown, headers: Record<string, string> = {}) =>
  companies.as(who, 'POST', `/api/${path}/owner`, { owner }, headers);

describe('a transfer', () => {
  it('is done by the owner; afterwards the new one manages it and the old one does not', async () => {
    const name = await providerOf(ann);
    const given = await give(ann, `providers/${name}`, 'ben');
    expect(given, given.text).toMatchObject({ status: 200, json: { name, owner: 'ben', spec, updated_by: 'ann' } });
    expect((await companies.as(ann, 'PUT', `/api/providers/${name}`, { spec })).status).toBe(403);
    expect((await companies.as(ben, 'PUT', `/api/providers/${name}`, { spec })).status).toBe(200);
    expect((await give(ann, `providers/${name}`, 'ann')).status).toBe(403);
    const { json } = await companies.must(chief, 'GET', `/api/audit?target=provider/${name}&actor=ann&limit=1`);
    expect(json.data[0]).toMatchObject({
      act: 'update',
      detail: `transfer provider ${name} from ann to ben`,
      before: { owner: 'ann' },
      after: { owner: 'ben' },
    });
  });

  it('works for each kind of row, and by administrators for rows of others', async () => {
    const provider = await providerOf(ann);
    await companies.must(ann, 'POST', '/api/models', { name: 'm-1', spec: { deployments: [{ provider, model: 'echo' }] } });
    await companies.must(ann, 'POST', '/api/skills', {
      name: 's-1',
      spec: { description: 'x', model: 'm-1', options: { instructions: 'Say it.' } },
    });
    await companies.must(chief, 'POST', '/api/mcp-servers', {
      name: 'tools',
      spec: { kind: 'stdio', options: { command: 'node', args: ['-e', '0'] } },
    });
    for (const path of [`providers/${provider}`, 'models/m-1', 'skills/s-1', 'mcp-servers/tools']) {
      const { status, json } = await give(chief, path, 'ben');
      expect({ path, status, owner: json.owner }).toEqual({ path, status: 200, owner: 'ben' });
    }
    expect((await companies.as(ben, 'DELETE', '/api/skills/s-1')).status).toBe(204);
    // It starts a program, so even its owner needs an administrator.
    expect((await give(ben, 'mcp-servers/tools', 'ann')).status).toBe(403);
  });

  it('is refused to other users, and to owners without the code', async () => {
    const name = await providerOf(ann);
    for (const person of [ben, reader]) expect((await give(person, `providers/${name}`, person.subject)).status).toBe(403);
    const demoted: Person = { ...ann, roles: ['user'], codes: ['llm:model:view', 'llm:model:use'] };
    expect((await give(demoted, `providers/${name}`, 'ben')).status).toBe(403);
    expect((await companies.as(chief, 'GET', `/api/providers/${name}`)).json.owner).toBe('ann');
  });

  it('is not possible by a PUT of the row, except for administrators', async () => {
    const name = await providerOf(ann);
    const put = (who: Person, owner: string | null) => companies.as(who, 'PUT', `/api/providers/${name}`, { spec, owner });
    for (const owner of ['ben', 'bne', null])
      expect(await put(ann, owner), String(owner)).toMatchObject({ status: 403, json: { error: { param: 'owner' } } });
    expect((await put(ann, 'ann')).json.owner).toBe('ann');
    expect((await put(chief, 'ben')).json.owner).toBe('ben');
  });

  it('by an owner goes only to a known user of the tenant; by an administrator to any subject', async () => {
    const name = await providerOf(ann);
    for (const owner of ['bne', 'frank', 'chief-of-rival']) {
      const answer = await give(ann, `providers/${name}`, owner);
      expect(answer).toMatchObject({ status: 400, json: { error: { code: 'invalid_request', param: 'owner' } } });
      expect(answer.json.error.message).toContain('has been seen yet');
    }
    expect((await give(chief, `providers/${name}`, 'new-colleague')).json.owner).toBe('new-colleague');
    for (const owner of ['', null, 7, 'x'.repeat(257), 'a\u0000b', undefined])
      expect((await give(chief, `providers/${name}`, owner)).status, String(owner)).toBe(400);
  });

  it('is limited to the tenant: a row of another one is answered as unknown', async () => {
    const name = await providerOf(ann);
    const there = await give(foreignChief, `providers/${name}`, 'frank');
    const nowhere = await give(foreignChief, 'providers/nothing', 'frank');
    expect(there.status).toBe(404);
    expect(there.json.error.message.replace(name, 'nothing')).toBe(nowhere.json.error.message);
    expect((await companies.as(chief, 'GET', `/api/providers/${name}`)).json.owner).toBe('ann');
  });

  it('of one row by two concurrent requests happens once, and If-Match is checked', async () => {
    const name = await providerOf(ann);
    const { headers } = await companies.must(ann, 'GET', `/api/providers/${name}`);
    const seen = { 'if-match': headers.get('etag') ?? '' };
    const both = await Promise.all([give(ann, `providers/${name}`, 'ben', seen), give(chief, `providers/${name}`, 'rita', seen)]);
    // The second one is no longer its owner, or has an outdated revision as administrator.
    expect(both.filter(({ status }) => status === 200)).toHaveLength(1);
    expect(both.filter(({ status }) => status === 403 || status === 409)).toHaveLength(1);
    expect((await give(chief, `providers/${name}`, 'ann', seen)).status).toBe(409);
    const now = (await companies.must(chief, 'GET', `/api/providers/${name}`)).json as { owner: string; revision: number };
    expect((await give(chief, `providers/${name}`, now.owner)).json.revision).toBe(now.revision);
  });

  it('is not available for keys and limits', async () => {
    const { key } = await companies.keyOf(ann);
    expect((await companies.with(key, 'POST', '/api/models/m-1/owner', { owner: 'ann' })).status).toBe(403);
    await companies.must(chief, 'POST', '/api/limits', { name: 'l', spec: { subject_type: 'tenant', requests_per_minute: 1_000 } });
    // The address is that of a limit named l/owner, which has no such method.
    expect((await give(chief, 'limits/l', 'ann')).status).toBe(405);
  });
});

it('an owner in a new row is validated like any text', async () => {
  const newSpec = { deployments: [{ provider: await providerOf(ann), model: 'echo' }] };
  for (const owner of ['', 7, 'x'.repeat(257), 'a\u0000b']) {
    const refused = await companies.as(chief, 'POST', '/api/models', { name: 'm-9', spec: newSpec, owner });
    expect(refused, String(owner)).toMatchObject({ status: 400, json: { error: { param: 'owner' } } });
  }
});

describe('a grant', () => {
  it('permanently records who gave it', async () => {
    const provider = await providerOf(ann);
    await companies.must(ann, 'POST', '/api/models', { name: 'm-2', spec: { deployments: [{ provider, model: 'echo' }] } });
    const grant = { subject_type: 'user', subject: 'rita', capability: 'model/m-2', action: 'use' };
    const { json } = await companies.must(ann, 'POST', '/api/grants', { name: 'g-2', spec: grant });
    expect(json).toMatchObject({ created_by: 'ann', owner: 'ann' });
    await companies.must(chief, 'PUT', '/api/grants/g-2', { spec: { ...grant, action: 'view' } });
    const { data } = (await companies.must(chief, 'GET', '/api/grants')).json as { data: { name: string }[] };
    expect(data.find(({ name }) => name === 'g-2')).toMatchObject({ created_by: 'ann', updated_by: chief.subject });
  });
});
