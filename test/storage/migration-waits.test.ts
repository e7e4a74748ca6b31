/** A migration on PostgreSQL that waits for a lock: of another program, of another node, and after the death of its process. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import pg from 'pg';
import { sql } from 'kysely';
import { beforeEach, describe, expect, it } from 'vitest';
import { migrate } from '../../src/storage/migrate.ts';
import { migrateOrKeepTrying } from '../../src/storage/migrate-or-keep-trying.ts';
import { startBreakableProxy } from './breakable-proxy.ts';
import { databaseKinds, eventually, postgresUrl, type TestDatabase } from './databases.ts';

const root = join(import.meta.dirname, '../..');
const before = '0071-team-days';
/** Kysely's advisory lock of migrations. */
const lockOfMigrations = '3853314791062309107';

async function connect(url: string | null, owned: AsyncDisposableStack): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url ?? '', application_name: 'reader' });
  await client.connect();
  owned.defer(() => client.end());
  return client;
}

/** Connections that wait for a lock of this kind. */
async function waiting(client: pg.Client, kind: 'relation' | 'advisory'): Promise<number> {
  const { rows } = await client.query<{ count: number }>(
    `select count(*)::int as count from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock' and wait_event = $1`,
    [kind],
  );
  return rows[0]?.count ?? 0;
}

describe.skipIf(postgresUrl === undefined)('a migration on PostgreSQL that waits', () => {
  let place: TestDatabase;
  let owned: AsyncDisposableStack;

  beforeEach(async () => {
    owned = new AsyncDisposableStack();
    place = owned.use(await (databaseKinds[1] as (typeof databaseKinds)[number]).create());
    await migrate(await place.open(), null, before);
    return () => owned.disposeAsync();
  });

  /** As a dump does: reads a table that a migration changes, in a transaction that stays open. */
  async function holdTable(): Promise<pg.Client> {
    const reader = await connect(place.url, owned);
    await reader.query('begin');
    await reader.query('select count(*) from llm_run_fact');
    return reader;
  }

  it('for another program lets others read meanwhile, names it, and goes on when the table is free', async () => {
    const reader = await holdTable();
    const other = await connect(place.url, owned);
    const done = migrate(await place.open(), null, undefined, place.logger);
    await eventually(async () => (await waiting(other, 'relation')) === 1);
    // The same limit as that of a statement of the gateway. The wait is in front of it in the queue.
    await other.query("set statement_timeout = '30s'");
    expect((await other.query('select count(*)::int as count from llm_run_fact')).rows).toEqual([{ count: 0 }]);
    const lines = () => place.logger.lines.filter(({ fields }) => JSON.stringify(fields).includes('"application":"reader"'));
    await eventually(() => lines().length > 0);
    expect(lines()[0]?.message).toBe('the database is being migrated, here or by another node; this one opens afterwards');
    await reader.query('commit');
    expect(await done).toContain('0072-short-run-columns');
    expect(await migrate(await place.open())).toEqual([]);
  });

  it('ends with its process, whatever its patience, so that nobody waits behind a dead one', async () => {
    await holdTable();
    const other = await connect(place.url, owned);
    const options = JSON.stringify({ url: place.url, dataDir: place.dataDir });
    const program = `
      import { openDatabase } from ${JSON.stringify(join(root, 'src/storage/open-database.ts'))};
      import { sql } from 'kysely';
      const database = await openDatabase({ ...${options}, logger: console });
      await sql\`alter table llm_run_fact add column tomorrow integer\`.execute(database.patient());`;
    const child = spawn(join(root, 'node_modules/.bin/node'), ['--input-type=module', '-e', program], { stdio: 'ignore' });
    owned.defer(() => void child.kill('SIGKILL'));
    await eventually(async () => (await waiting(other, 'relation')) === 1);
    const { rows } = await other.query<{ pid: number }>(
      `select pid from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`,
    );
    child.kill('SIGKILL');
    await once(child, 'exit');
    await eventually(async () => {
      const { rowCount } = await other.query('select 1 from pg_stat_activity where pid = $1', [rows[0]?.pid]);
      return rowCount === 0;
    });
  });

  it('is one attempt at a time after the database was away', async () => {
    const address = new URL(place.url ?? '');
    const proxy = owned.use(await startBreakableProxy({ host: address.hostname, port: Number(address.port) }));
    address.host = `127.0.0.1:${proxy.port}`;
    await proxy.disconnect();
    const database = await place.open(address.href);
    const stop = await migrateOrKeepTrying(database, place.logger, null);
    owned.defer(stop);
    const reader = await connect(place.url, owned);
    await reader.query(`select pg_advisory_lock(${lockOfMigrations})`);
    await proxy.restore();
    await eventually(async () => (await waiting(reader, 'advisory')) > 0);
    // Three times the pause between two attempts.
    await sleep(6_500);
    expect(await waiting(reader, 'advisory')).toBe(1);
    await reader.query(`select pg_advisory_unlock(${lockOfMigrations})`);
    await eventually(() => place.logger.lines.some(({ message }) => message === 'database migrated'));
    const { rows } = await sql<{ last: string }>`select max(name) as last from llm_migration`.execute(database.query);
    expect(rows[0]?.last).not.toBe(before);
  });
});
