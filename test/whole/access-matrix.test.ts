/** Permissions of each role, and impersonation, over HTTP. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { chiefOf, type Companies, type Person, startCompanies } from './companies.ts';
import { eventually } from './gateway.ts';

const chief = chiefOf('acme');
const foreignChief = chiefOf('rival');
const ann: Person = { subject: 'ann', tenant: 'acme', roles: ['developer'] };
const rita: Person = { subject: 'rita', tenant: 'acme', roles: ['user'] };
const wei: Person = { subject: 'wei', tenant: 'acme', roles: ['viewer'] };
const bare: Person = { subject: 'bare', tenant: 'acme', roles: ['user'], codes: ['llm:model:view'] };
const frank: Person = { subject: 'frank', tenant: 'rival', roles: ['developer'] };
let companies: Companies;

interface Line {
  readonly subject: { type: string; name: string; username?: string; roles?: string[]; seen_at?: string };
  readonly capability: string;
  readonly owner: string | null;
  readonly view: { may: string; rule: string };
  readonly use: { may: string; rule: string };
  readonly manage: { may: string; rule: string };
}

async function pages(query: string, limit = 500, who = chief): Promise<Line[]> {
  const lines: Line[] = [];
  let next: string | null = '';
  while (next !== null) {
    const { status, text, json } = await companies.as(
      who,
      'GET',
      `/api/access/matrix?limit=${limit}${query}${next === '' ? '' : `&after=${next}`}`,
    );
    expect(status, text).toBe(200);
    expect((json.data as Line[]).length).toBeLessThanOrEqual(limit);
    lines.push(...(json.data as Line[]));
    ({ next } = json as { next: string | null });
  }
  return lines;
}

beforeAll(async () => {
  companies = await startCompanies();
  for (const person of [chief, ann, rita, wei, bare, frank, foreignChief]) await companies.must(person, 'GET', '/api/me');
  for (const [owner, names] of [
    [ann, ['m-1', 'm-2']],
    [frank, ['theirs']],
  ] as const) {
    await companies.must(owner, 'POST', '/api/providers', { name: 'p', spec: { kind: 'demo' } });
    for (const name of names)
      await companies.must(owner, 'POST', '/api/models', { name, spec: { deployments: [{ provider: 'p', model: 'echo' }] } });
  }
  const grant = (name: string, subject_type: string, subject: string, action = 'use') =>
    companies.must(chief, 'POST', '/api/grants', { name, spec: { subject_type, subject, capability: 'model/m-1', action } });
  await grant('for-rita', 'user', 'rita');
  await grant('for-bare', 'user', 'bare');
  await grant('for-a-client', 'client', 'web');
  await grant('for-a-role', 'role', 'quality', 'view');
  await grant('for-somebody', 'user', 'not-yet-here');
  await companies.must(foreignChief, 'POST', '/api/grants', {
    name: 'foreign',
    spec: { subject_type: 'user', subject: 'rita', capability: 'model/*', action: 'use' },
  });
  await eventually(
    () => companies.as(chief, 'GET', '/api/explain?capability=model/m-1&as=bare'),
    ({ status }) => status === 200,
  );
});
afterAll(() => companies[Symbol.asyncDispose]());

describe('the matrix', () => {
  it('lists the permissions of every known user, with the rule for each', async () => {
    const lines = await pages('&capability=model/m-1');
    const short = lines.map(({ subject, view, use, manage }) =>
      [`${subject.type}/${subject.name}`, ...[view, use, manage].map(({ may, rule }) => `${may} ${rule}`)].join(' | '),
    );
    expect(short).toEqual([
      'client/web | with_code grant:for-a-client | with_code grant:for-a-client | no owner',
      'person/ann | yes role | yes role | yes owner',
      'person/bare | yes grant:for-bare | no code | no code',
      'person/chief-of-acme | yes role | yes role | yes role',
      'person/rita | yes grant:for-rita | yes grant:for-rita | no code',
      'person/wei | yes role | no code | no code',
      'role/admin | with_code role | with_code role | with_code role',
      'role/developer | with_code role | with_code role | no owner',
      'role/quality | with_code grant:for-a-role | no grant | no owner',
      'role/user | no grant | no grant | no owner',
      'role/viewer | with_code role | no role | no role',
      'stranger/not-yet-here | with_code grant:for-somebody | with_code grant:for-somebody | no owner',
    ]);
    expect(lines.find(({ subject }) => subject.name === 'rita')).toMatchObject({
      subject: {
        type: 'person',
        roles: ['user'],
        issuer: companies.service.issuer,
        seen_at: expect.stringMatching(/^\d{4}-.*Z$/) as string,
      },
      owner: 'ann',
    });
  });

  it('agrees with the result of a call', async () => {
    for (const person of [ann, rita, wei, bare]) {
      const [line] = await pages(`&capability=model/m-1&subject=${person.subject}`);
      for (const action of ['view', 'use', 'manage'] as const) {
        const { json } = await companies.must(person, 'GET', `/api/explain?capability=model/m-1&action=${action}`);
        expect({ may: json.allowed ? 'yes' : 'no', rule: json.rule as string }).toEqual(line?.[action]);
      }
    }
  });

  it('does not depend on the page size', async () => {
    const all = await pages('');
    expect(all.length).toBeGreaterThanOrEqual(24);
    for (const limit of [1, 2, 3, 7]) expect(await pages('', limit)).toEqual(all);
    const allowed = await pages('&allowed_only=true', 5);
    expect(allowed).toEqual(all.filter(({ view, use, manage }) => [view, use, manage].some(({ may }) => may !== 'no')));
    expect(allowed.length).toBeLessThan(all.length);
  });

  it('can be filtered, and contains nothing of another tenant', async () => {
    expect(new Set((await pages('&capability=model/m-*')).map(({ capability }) => capability))).toEqual(
      new Set(['model/m-1', 'model/m-2']),
    );
    expect(await pages('&capability=model/theirs')).toEqual([]);
    expect(await pages('&subject=frank')).toEqual([]);
    const theirs = await pages('', 500, foreignChief);
    expect(new Set(theirs.filter(({ subject }) => subject.type === 'person').map(({ subject }) => subject.name))).toEqual(
      new Set(['chief-of-rival', 'frank']),
    );
    expect(theirs.map(({ capability }) => capability)).not.toContain('model/m-1');
    // A cursor of one tenant reveals nothing of another.
    const { next } = (await companies.must(chief, 'GET', '/api/access/matrix?limit=2')).json as { next: string };
    const { json } = await companies.must(foreignChief, 'GET', `/api/access/matrix?after=${next}`);
    expect(JSON.stringify(json.data)).not.toContain('m-1');
  });

  it('is for administrators, and refuses invalid parameters with a message', async () => {
    for (const person of [ann, rita, wei]) expect((await companies.as(person, 'GET', '/api/access/matrix')).status).toBe(403);
    const odd = Buffer.from(JSON.stringify(['person', ['a\u0000', 'b'], 'x'])).toString('base64url');
    for (const query of ['after=x', `after=${odd}`, 'limit=0', 'limit=501', 'subject=', 'subject=%00', 'tenant=rival'])
      expect((await companies.as(chief, 'GET', `/api/access/matrix?${query}`)).status, query).toBe(400);
  });
});

describe('impersonation', () => {
  const ask = (who: Person, as: string, action = 'use') =>
    companies.as(who, 'GET', `/api/explain?capability=model/m-1&action=${action}&as=${as}`);

  it('answers with that person’s rights, and is recorded', async () => {
    for (const person of [ann, rita, wei, bare]) {
      const own = (await companies.must(person, 'GET', '/api/explain?capability=model/m-1')).json as object;
      const { json } = await ask(chief, person.subject);
      expect(json).toMatchObject(own);
      expect(json.as).toMatchObject({ issuer: companies.service.issuer });
    }
    const { json } = await companies.must(chief, 'GET', '/api/audit?act=asked%20as&target=person/bare');
    expect(json.data[0]).toMatchObject({ actor: chief.subject, detail: 'use model/m-1: not allowed (code)' });
  });

  it('is for administrators of the same tenant, and grants nothing', async () => {
    for (const person of [ann, rita, wei]) expect((await ask(person, 'chief-of-acme')).status).toBe(403);
    const there = await ask(foreignChief, 'rita');
    const nowhere = await ask(foreignChief, 'nobody');
    expect(there.status).toBe(404);
    expect(there.json.error.message.replace('rita', 'nobody')).toBe(nowhere.json.error.message);
    expect((await ask(chief, '%00')).status).toBe(400);
    // Read-only: no other request accepts `as`.
    const call = await companies.as(bare, 'POST', '/v1/chat/completions?as=chief-of-acme', {
      model: 'm-1',
      messages: [{ role: 'user', content: 'Hi' }],
    });
    expect(call.status).toBe(403);
    expect((await companies.as(bare, 'GET', '/api/limits?as=chief-of-acme')).status).toBe(403);
  });
});
