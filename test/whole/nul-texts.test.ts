/** The character NUL in addresses, queries, headers and bodies, on both databases: PostgreSQL cannot store or compare it, and no caller sees a failure of the database for it. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databaseKinds, type TestDatabase } from '../storage/databases.ts';
import { chiefOf, type Companies, type Person, startCompanies } from './companies.ts';

interface Described {
  readonly paths: Readonly<Record<string, Readonly<Record<string, { readonly parameters?: readonly { in: string; name: string }[] }>>>>;
}

const chief = chiefOf('acme');
const member: Person = { subject: 'member', tenant: 'acme', roles: ['user'] };
const nul = 'a%00b';

describe.each(databaseKinds)('NUL with $name', (kind) => {
  let place: TestDatabase;
  let companies: Companies;

  beforeAll(async () => {
    if (kind.missing) return;
    place = await kind.createMigrated();
    companies = await startCompanies(place.url === null ? {} : { PAILOU_DATABASE_URL: place.url });
    await companies.must(member, 'GET', '/api/me');
    await companies.must(chief, 'POST', '/api/providers', { name: 'demo', spec: { kind: 'demo' } });
    await companies.must(chief, 'POST', '/api/models', { name: 'echo', spec: { deployments: [{ provider: 'demo', model: 'echo' }] } });
  });
  afterAll(async () => {
    if (kind.missing) return;
    await companies[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  });

  it.skipIf(kind.missing)('is the caller’s fault, or an unknown name, in every part of an address and in every query', async () => {
    const { paths } = (await companies.must(chief, 'GET', '/openapi.json')).json as Described;
    const asked: (readonly [string, string])[] = Object.entries(paths).flatMap(([path, operations]) =>
      Object.entries(operations).flatMap(([method, { parameters = [] }]) => {
        const filled = (text: string): string => path.replaceAll(/\{[^}]+\}/g, text);
        const queries = parameters.filter((each) => each.in === 'query').map(({ name }) => `${filled('echo')}?${name}=${nul}`);
        return [...(path.includes('{') ? [filled(nul)] : []), ...queries].map((address) => [method.toUpperCase(), address] as const);
      }),
    );
    expect(asked.length).toBeGreaterThan(150);
    const failed: string[] = [];
    for (const [method, address] of asked) {
      const { status, text } = await companies.as(chief, method, address, ['POST', 'PUT', 'PATCH'].includes(method) ? {} : undefined);
      if (status >= 500) failed.push(`${method} ${address} ${status} ${text}`);
    }
    expect(failed).toEqual([]);
  });

  it.skipIf(kind.missing)('names its field in a header and in a body', async () => {
    const viewed = await companies.as(chief, 'GET', '/api/me', undefined, { 'x-pailou-view-as': nul });
    expect([viewed.status, viewed.json.error.param]).toEqual([400, 'x-pailou-view-as']);
    const earlier = await companies.as(chief, 'POST', '/v1/responses', { model: 'echo', input: 'x', previous_response_id: 'a\u0000b' });
    expect([earlier.status, earlier.json.error.param]).toEqual([404, 'previous_response_id']);
    const blocked = await companies.as(chief, 'POST', '/api/people/member/block', { reason: 'left\u0000' });
    expect([blocked.status, blocked.json.blocked.reason]).toEqual([200, 'left\ufffd']);
  });
});
