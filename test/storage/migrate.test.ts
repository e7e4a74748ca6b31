/** Migrations of an empty database, concurrent ones, and a newer database; on both databases. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createConfigStore } from '../../src/storage/config-store.ts';
import type { Database } from '../../src/storage/database.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { databaseKinds, type TestDatabase } from './databases.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
const source = (file: string): string => JSON.stringify(join(root, 'src/storage', file));

const known = [
  '0001-first-tables',
  '0002-responses',
  '0003-children-of-runs',
  '0004-nodes',
  '0005-limits',
  '0006-keys',
  '0007-usage',
  '0008-audit-chain',
  '0010-sessions',
  '0011-audit-filters',
  '0012-people-of-tenants',
  '0013-mcp-catalogue',
  '0014-mcp-accounts',
  '0015-chat-states',
  '0016-run-contents',
  '0017-trees-of-runs',
  '0018-people-by-issuer',
  '0019-bound-grants',
  '0020-revocations',
  '0021-impossible-counts',
  '0022-decimal-amounts',
  '0023-unbudgeted-costs',
  '0024-basis-of-rows',
  '0025-budget-alerts',
  '0030-service-accounts',
  '0032-spend',
  '0047-single-attempts',
  '0050-row-labels',
  '0051-rollups',
  '0052-list-indexes',
  '0053-month-partitions',
  '0055-filters-of-runs',
  '0056-breaking-migrations',
  '0060-attempt-days',
  '0062-room-for-updates',
  '0063-configured-service-accounts',
  '0064-teams',
  '0067-sums-in-one-pass',
  '0068-run-facts',
  '0070-adjusted-rollups',
  '0071-team-days',
  '0072-short-run-columns',
  '0073-team-rollups',
  '0075-failed-attempts',
  '0077-runs-of-callers',
];

/** The database part of a node's start, in its own process. */
function startNode(place: TestDatabase): Promise<string[]> {
  const program = `
    import { openDatabase } from ${source('open-database.ts')};
    import { migrate } from ${source('migrate.ts')};
    const silent = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };
    const database = await openDatabase({ url: ${JSON.stringify(place.url)}, dataDir: ${JSON.stringify(place.dataDir)}, logger: silent });
    console.log(JSON.stringify(await migrate(database)));
    await database.close();
  `;
  return run(join(root, 'node_modules/.bin/node'), ['--input-type=module', '-e', program]).then(
    ({ stdout }) => JSON.parse(stdout) as string[],
  );
}

for (const kind of databaseKinds) {
  describe.skipIf(kind.missing)(`migration on ${kind.name}`, () => {
    let place: TestDatabase;

    beforeEach(async () => {
      place = await kind.create();
    });
    afterEach(() => place[Symbol.asyncDispose]());

    it('creates all tables in an empty database, and has nothing to do the second time', async () => {
      const database = await place.open();
      expect(await migrate(database)).toEqual(known);
      expect(await migrate(database)).toEqual([]);
      const names = (await database.query.introspection.getTables()).map(({ name }) => name);
      expect(names).toEqual(
        expect.arrayContaining([
          'llm_attempt',
          'llm_audit',
          'llm_config_history',
          'llm_config_revision',
          'llm_grant',
          'llm_mcp_config',
          'llm_model_config',
          'llm_provider_config',
          'llm_response',
          'llm_run',
          'llm_skill_config',
        ]),
      );
    });

    it('runs in one of several concurrent processes, while the others wait', async () => {
      const applied = await Promise.all([1, 2, 3, 4].map(() => startNode(place)));
      expect(applied.toSorted((one, other) => other.length - one.length)).toEqual([known, [], [], []]);
      const database = await place.open();
      expect(await createConfigStore(database).load()).toEqual({ revision: 0, rows: [] });
      expect(await database.query.selectFrom('llm_config_revision').selectAll().execute()).toHaveLength(1);
    });

    it('runs once for several connections of one process', async () => {
      const databases = await Promise.all([1, 2, 3, 4].map(() => place.open()));
      const applied = await Promise.all(databases.map((database) => migrate(database)));
      expect(applied.flat()).toEqual(known);
    });

    const future = '9999-from-the-future';
    const asNewer = async (database: Database): Promise<void> => {
      await migrate(database);
      await sql`insert into llm_migration (name, timestamp) values (${future}, '2027-01-01T00:00:00.000Z')`.execute(database.query);
      await sql`alter table llm_model_config add column tomorrow integer`.execute(database.query);
    };
    const appliedIn = async (database: Database): Promise<readonly string[]> =>
      (await sql<{ name: string }>`select name from llm_migration order by name`.execute(database.query)).rows.map(({ name }) => name);

    it('runs on a database to which a newer version has only added, and changes nothing', async () => {
      const database = await place.open();
      await asNewer(database);
      expect(await migrate(database)).toEqual([]);
      expect(await appliedIn(database)).toEqual([...known, future]);
      expect(await createConfigStore(database).load()).toEqual({ revision: 0, rows: [] });
    });

    it('refuses a database that a newer version has changed so that this one cannot work with it', async () => {
      const database = await place.open();
      await asNewer(database);
      await sql`insert into llm_breaking_migration (name) values (${future})`.execute(database.query);
      await expect(migrate(database)).rejects.toThrow(`made by a newer version of Pailou, which this one cannot work with (${future};`);
      expect(await appliedIn(database)).toEqual([...known, future]);
    });

    it('refuses a database that lacks a migration of this version and has one of another', async () => {
      const database = await place.open();
      await asNewer(database);
      await sql`delete from llm_migration where name = '0004-nodes'`.execute(database.query);
      await expect(migrate(database)).rejects.toThrow(`made by a newer version of Pailou (this one knows up to ${known.at(-1)})`);
    });

    it('rolls back completely when a migration fails', async () => {
      const database = await place.open();
      // Conflicts with a table that a late migration creates.
      await sql`create table llm_attempt (id integer)`.execute(database.query);
      await expect(migrate(database)).rejects.toMatchObject({ code: 'storage_unavailable' });
      const names = (await database.query.introspection.getTables()).map(({ name }) => name);
      expect(names).not.toContain('llm_provider_config');
      await sql`drop table llm_attempt`.execute(database.query);
      expect(await migrate(database)).toEqual(known);
    });
  });
}

describe.skipIf(databaseKinds[1]?.missing === true)('migrations on PostgreSQL', () => {
  it('have no limit of time, where a statement of the gateway has one', async () => {
    await using place = await (databaseKinds[1] as (typeof databaseKinds)[number]).create();
    const database = await place.open();
    const limit = sql<{ limit: string }>`select current_setting('statement_timeout') as limit`;
    expect((await limit.execute(database.query)).rows).toEqual([{ limit: '30s' }]);
    const name = new URL(place.url ?? '').pathname.slice(1);
    // The limit holds until the connection has lifted it, so that it must leave time for that.
    await sql`alter database ${sql.ref(name)} set statement_timeout = 1000`.execute(database.query);
    const other = await place.open();
    expect(await migrate(other)).toEqual(known);
    const patient = other.patient?.();
    expect(patient === undefined ? [] : (await limit.execute(patient)).rows).toEqual([{ limit: '0' }]);
    await patient?.destroy();
  });
});
