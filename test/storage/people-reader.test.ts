/** Lists the people of one tenant on both databases: in order, page by page, without those of other tenants. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Database } from '../../src/storage/database.ts';
import { createPeopleReader } from '../../src/storage/people-reader.ts';
import type { PersonId } from '../../src/types/person.ts';
import { databaseKinds, migrated, type TestDatabase } from './databases.ts';

for (const kind of databaseKinds) {
  describe.skipIf(kind.missing)(`the people on ${kind.name}`, () => {
    let place: TestDatabase;
    let database: Database;

    beforeEach(async () => {
      ({ place, database } = await migrated(kind));
      const person = (subject: string, tenant: string, issuer = 'one') => ({
        issuer,
        subject,
        tenant,
        username: subject.toUpperCase(),
        roles: '["user"]',
        permissions: 'llm:model:view llm:model:use made:up',
        is_service: 0,
        seen_at: 5,
      });
      const subjects = ['b', 'A', '王', 'a-1', 'a_2', 'B', 'ä'];
      const rows = [...subjects.map((subject) => person(subject, 'acme')), person('b', 'acme', 'two'), person('b2', 'rival')];
      await database.query.insertInto('llm_person').values(rows).execute();
    });
    afterEach(() => place[Symbol.asyncDispose]());

    it('are listed in order, each once, whatever the page size', async () => {
      const reader = createPeopleReader(database);
      const all = await reader.page({ tenant: 'acme', after: null, limit: 100 });
      expect(all).toHaveLength(8);
      expect(all[0]).toMatchObject({
        tenant: 'acme',
        roles: ['user'],
        permissions: new Set(['llm:model:view', 'llm:model:use']),
        seenAt: 5,
      });
      for (const limit of [1, 3]) {
        const seen = [];
        let after: PersonId | null = null;
        for (;;) {
          const page: typeof all = await reader.page({ tenant: 'acme', after, limit });
          seen.push(...page);
          after = page.at(-1) ?? null;
          if (page.length < limit) break;
        }
        expect(seen).toEqual(all);
      }
    });

    it('are found by issuer and subject, only in their own tenant', async () => {
      const reader = createPeopleReader(database);
      const at = (issuer: string, subject: string): PersonId => ({ issuer, subject });
      const named = async (...people: PersonId[]): Promise<string[]> =>
        (await reader.named('acme', people)).map(({ subject, issuer }) => `${subject} ${issuer}`);
      expect(await named(at('two', 'b'))).toEqual(['b two']);
      expect(await named(at('one', 'b'), at('two', 'b'), at('one', 'b2'), at('two', 'A'))).toEqual(['b one', 'b two']);
      expect(await reader.named('rival', [at('one', 'b')])).toEqual([]);
      expect(await reader.named('acme', [])).toEqual([]);
    });
  });
}
