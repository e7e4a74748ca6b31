/** On PostgreSQL the indexes of a past month are packed once, beside reading and writing, on one node. */
import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { makeRuns } from '../../bench/many-runs.ts';
import type { Database } from '../../src/storage/database.ts';
import { monthStart, monthSuffix } from '../../src/storage/migrations/month-partitions.ts';
import { packedMonths } from '../../src/storage/retention/packed-months.ts';
import { databaseKinds, migrated } from './databases.ts';

const postgresKind = databaseKinds[1] as (typeof databaseKinds)[number];
const month = monthStart(Date.now());
const day = 86_400_000;
const part = `llm_run_fact_${monthSuffix(month)}`;
const later = monthStart(month, 1) + 3 * day;

/** Small transactions, as the ledger writes them. */
async function fill(database: Database, runs: number, end = month + 2 * day): Promise<void> {
  for await (const _made of makeRuns(database, { runs, days: 1, people: 20, models: 2, session: 5, batch: 50, now: end }));
}

interface Index {
  readonly name: string;
  readonly valid: boolean;
  readonly packed: boolean;
  readonly bytes: number;
}

async function indexesOf(database: Database): Promise<readonly Index[]> {
  const { rows } =
    await sql<Index>`select indexrelid::regclass::text as name, indisvalid as valid, pg_relation_size(indexrelid)::int as bytes,
    obj_description(indexrelid, 'pg_class') = 'packed' is true as packed from pg_index where indrelid = ${part}::regclass`.execute(
      database.query,
    );
  return rows;
}

const sizeOf = (indexes: readonly Index[]): number => indexes.reduce((sum, { bytes }) => sum + bytes, 0);

async function packAll(database: Database, at = later): Promise<number> {
  const task = packedMonths(database, () => at);
  let steps = 0;
  while (await task.step()) steps++;
  return steps;
}

const checksum = async (database: Database): Promise<unknown> =>
  (
    await sql`select count(*) as runs, sum(person::bigint * started_at % 1000003) as sum from llm_run_fact where person in
      (select id from llm_run_person) and started_at >= ${month}`.execute(database.query)
  ).rows[0];

describe.skipIf(postgresKind.missing)('the indexes of a past month', () => {
  it('are packed once, and find the same runs', async () => {
    const { place, database } = await migrated(postgresKind);
    await using _place = place;
    await fill(database, 6_000);
    const [before, runs] = [await indexesOf(database), await checksum(database)];
    expect(await packAll(database, month + 20 * day), 'the current month stays').toBe(0);
    expect(await packAll(database, monthStart(month, 1) + day), 'runs may come late').toBe(0);

    expect(await packAll(database)).toBe(before.length);
    const after = await indexesOf(database);
    expect(sizeOf(after)).toBeLessThan(0.85 * sizeOf(before));
    expect(after.filter(({ valid, packed }) => !valid || !packed)).toEqual([]);
    expect(await checksum(database)).toEqual(runs);
    expect(await packAll(database)).toBe(0);
    await fill(database, 100, month + 4 * day);
    expect(await packAll(database), 'a late run is no reason').toBe(0);
  });

  it('are packed by one node at a time, and what an interrupted one has left is removed', async () => {
    const { place, database } = await migrated(postgresKind);
    await using _place = place;
    await fill(database, 100);
    const names = (await indexesOf(database)).map(({ name }) => name).toSorted();
    const broken = sql`create unique index concurrently left_ccnew on ${sql.table(part)} (tenant)`;
    await expect(broken.execute(database.query)).rejects.toMatchObject({ code: '23505' });
    expect((await indexesOf(database)).some(({ valid }) => !valid)).toBe(true);

    await database.query.connection().execute(async (other) => {
      await sql`select pg_advisory_lock(7260054)`.execute(other);
      expect(await packAll(database)).toBe(0);
      await sql`select pg_advisory_unlock(7260054)`.execute(other);
    });
    const [one, two] = await Promise.all([packAll(database), packAll(await place.open())]);
    expect(one + two + (await packAll(database))).toBe(names.length + 1);
    const after = await indexesOf(database);
    expect(after.map(({ name }) => name).toSorted()).toEqual(names);
    expect(after.filter(({ valid, packed }) => !valid || !packed)).toEqual([]);
  });

  it('stay usable when the node stops during a step that waits', async () => {
    const { place, database } = await migrated(postgresKind);
    await using _place = place;
    await fill(database, 100);
    const other = await place.open();
    const leaving = new AbortController();
    const task = packedMonths(database, () => later);
    await other.query.transaction().execute(async (transaction) => {
      // A rebuild waits for those who wrote before it.
      await sql`lock table ${sql.table(part)} in row exclusive mode`.execute(transaction);
      const step = task.step(leaving.signal);
      const waits = async (): Promise<boolean> => {
        const found = await sql<{ count: number }>`select count(*)::int as count from pg_stat_activity
          where datname = current_database() and wait_event_type = 'Lock' and query like 'reindex%'`.execute(database.query);
        return found.rows[0]?.count === 1;
      };
      while (!(await waits())) await delay(20);
      leaving.abort();
      expect(await step).toBe(false);
    });
    expect((await indexesOf(database)).some(({ valid }) => !valid)).toBe(true);
    expect(await packAll(database)).toBeGreaterThan(1);
    expect((await indexesOf(database)).filter(({ valid, packed }) => !valid || !packed)).toEqual([]);
  });
});
