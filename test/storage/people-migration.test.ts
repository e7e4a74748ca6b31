/** Rows of versions that identified people by subject alone, after migration 0018; on both databases. */
import { type Kysely, sql } from 'kysely';
import { Migrator } from 'kysely/migration';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createConfigStore } from '../../src/storage/config-store.ts';
import type { Database } from '../../src/storage/database.ts';
import { migrate, migrationsOf } from '../../src/storage/migrate.ts';
import { databaseKinds, type TestDatabase } from './databases.ts';

const home = 'https://auth.example';
const partner = 'https://partner.example';

/** The database as the previous version left it. */
async function migrateTo(database: Database, last: string): Promise<void> {
  const all = Object.entries(migrationsOf(null)).filter(([name]) => name <= last);
  const { error } = await new Migrator({
    db: database.query,
    provider: { getMigrations: async () => Object.fromEntries(all) },
    migrationTableName: 'llm_migration',
    migrationLockTableName: 'llm_migration_lock',
  }).migrateToLatest();
  if (error !== undefined) throw new Error('the older migrations failed', { cause: error });
}

const row = (name: string, spec: object, owner: string | null = null, tenant = 'acme') => ({
  id: `id-${tenant}-${name}`,
  tenant,
  name,
  spec: JSON.stringify(spec),
  enabled: 1,
  owner,
  revision: 1,
  created_at: '2026-01-01T00:00:00.000Z',
  created_by: owner ?? 'pailou',
  updated_at: '2026-01-01T00:00:00.000Z',
  updated_by: owner ?? 'pailou',
});
const seen = (subject: string, issuer: string, at: number, tenant = 'acme') => ({
  issuer,
  subject,
  tenant,
  username: subject,
  roles: '[]',
  permissions: '',
  seen_at: at,
});

async function insert(database: Database, table: string, rows: readonly object[]): Promise<void> {
  await (database.query as unknown as Kysely<Record<string, object>>)
    .insertInto(table)
    .values([...rows])
    .execute();
}

for (const kind of databaseKinds) {
  describe.skipIf(kind.missing)(`people by issuer on ${kind.name}`, () => {
    let place: TestDatabase;
    let database: Database;

    beforeEach(async () => {
      place = await kind.create();
      database = await place.open();
      await migrateTo(database, '0017-trees-of-runs');
      await insert(database, 'llm_person', [
        seen('pat', partner, 5),
        seen('both', partner, 9),
        seen('both', home, 1),
        seen('pat', home, 1, 'rival'),
      ]);
    });
    afterEach(() => place[Symbol.asyncDispose]());

    it('gives each bare subject the issuer it was seen with, else the home issuer, and never two', async () => {
      await insert(database, 'llm_model_config', [
        row('a', {}, 'pat'),
        row('b', {}, 'both'),
        row('c', {}, 'unseen'),
        row('d', {}),
        row('a', {}, 'pat', 'rival'),
      ]);
      await insert(database, 'llm_grant', [
        row('user', { subject_type: 'user', subject: 'pat', capability: 'model/a', action: 'use' }),
        row('role', { subject_type: 'role', subject: 'pat', capability: 'model/a', action: 'use' }),
      ]);
      await insert(database, 'llm_limit', [
        row('one', { subject_type: 'user', subject: 'both', capability: 'model/*' }),
        row('any', { subject_type: 'user', subject: '*', capability: 'model/*' }),
      ]);
      await insert(database, 'llm_key', [row('k1', { issuer: partner, subject: 'both' }, 'both')]);
      await migrate(database, home);
      const { rows } = await createConfigStore(database).load();
      const said = rows.map(({ kind: of, tenant, name, owner, spec, createdBy }) =>
        [`${of} ${tenant}/${name}`, owner, typeof spec['subject'] === 'string' ? spec['subject'] : null, createdBy].join(', '),
      );
      expect(said.toSorted()).toEqual([
        'grant acme/role, , pat, pailou',
        `grant acme/user, , ${partner}#pat, pailou`,
        `key acme/k1, ${partner}#both, both, ${home}#both`,
        'limit acme/any, , *, pailou',
        `limit acme/one, , ${home}#both, pailou`,
        `model acme/a, ${partner}#pat, , ${partner}#pat`,
        `model acme/b, ${home}#both, , ${home}#both`,
        `model acme/c, ${home}#unseen, , ${home}#unseen`,
        'model acme/d, , , pailou',
        `model rival/a, ${home}#pat, , ${home}#pat`,
      ]);
    });

    it('updates the people in the history, so that a rollback restores them', async () => {
      const before = { ...row('a', {}, 'pat'), kind: 'model', createdBy: 'pat', updatedBy: 'both', spec: { tags: [] } };
      await insert(database, 'llm_config_history', [
        {
          revision: 1,
          sequence: 0,
          kind: 'model',
          tenant: 'acme',
          name: 'a',
          before: null,
          after: JSON.stringify(before),
          at: 'x',
          actor: 'pat',
          summary: '',
        },
        {
          revision: 2,
          sequence: 0,
          kind: 'model',
          tenant: 'acme',
          name: 'a',
          before: JSON.stringify(before),
          after: null,
          at: 'x',
          actor: 'pailou',
          summary: '',
        },
      ]);
      await migrate(database, home);
      const history = await createConfigStore(database).history({ tenant: 'acme', after: 0, limit: 10 });
      expect(history.map(({ actor }) => actor)).toEqual([`${partner}#pat`, 'pailou']);
      expect(history[1]?.before).toMatchObject({
        owner: `${partner}#pat`,
        createdBy: `${partner}#pat`,
        updatedBy: `${home}#both`,
        spec: { tags: [] },
      });
    });

    it('keeps the sums of usage and adds each later run once, under its issuer', async () => {
      const run = (id: string, subject: string, issuer: string | null) => ({
        id,
        parent: null,
        root: id,
        request_id: id,
        tenant: 'acme',
        issuer,
        subject,
        username: subject,
        client: null,
        roles: 'user',
        capability: 'model/a',
        operation: 'chat',
        streamed: 0,
        revision: 1,
        started_at: 86_400_000,
        first_token_at: null,
        ended_at: 86_400_001,
        outcome: 'complete',
        error: null,
        deployment: null,
        input_tokens: 3,
        output_tokens: 4,
        cached_input_tokens: null,
        reasoning_tokens: null,
        usage_estimated: 0,
        cost: 5,
        currency: 'CNY',
        via: null,
        key_id: null,
      });
      await insert(database, 'llm_run', [run('r1', 'both', null), run('r2', 'pat', null), run('r3', 'both', home)]);
      await migrate(database, home, '0018-people-by-issuer');
      await insert(database, 'llm_run', [run('r4', 'both', partner), run('r5', 'both', home)]);
      const lines = await sql<{ issuer: string; subject: string; runs: number; cost: number }>`
        select issuer, subject, runs, cost from llm_usage_day order by issuer, subject`.execute(database.query);
      expect(lines.rows.map(({ issuer, subject, runs, cost }) => [`${issuer}#${subject}`, Number(runs), Number(cost)])).toEqual([
        [`${home}#both`, 3, 15],
        [`${partner}#both`, 1, 5],
        [`${partner}#pat`, 1, 5],
      ]);
      const { rows } = await sql<{ id: string; issuer: string }>`select id, issuer from llm_run order by id`.execute(database.query);
      expect(rows.map(({ id, issuer }) => [id, issuer])).toEqual([
        ['r1', home],
        ['r2', partner],
        ['r3', home],
        ['r4', partner],
        ['r5', home],
      ]);
    });

    it('leaves rows of unknown subjects unchanged where no issuer is configured', async () => {
      await insert(database, 'llm_model_config', [row('a', {}, 'unseen'), row('b', {}, 'pat')]);
      await migrate(database);
      const { rows } = await createConfigStore(database).load();
      expect(new Map(rows.map(({ name, owner }) => [name, owner]))).toEqual(
        new Map([
          ['a', 'unseen'],
          ['b', `${partner}#pat`],
        ]),
      );
    });
  });
}
