/** Retention on both databases: old data goes in small steps, sums and budgets stay. */
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { periodOf } from '../../src/quota/periods.ts';
import { requireHistory } from '../../src/config/rollback.ts';
import { createConfigStore } from '../../src/storage/config-store.ts';
import type { Database } from '../../src/storage/database.ts';
import { createLedger } from '../../src/storage/ledger.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { monthStart } from '../../src/storage/migrations/month-partitions.ts';
import { oldRuns } from '../../src/storage/retention/old-runs.ts';
import type { RetentionLimits } from '../../src/storage/retention/prune-task.ts';
import { pruneTasks } from '../../src/storage/retention/retention.ts';
import { compactFile } from '../../src/storage/retention/compact-file.ts';
import { tableSizes } from '../../src/storage/retention/table-sizes.ts';
import { rebuildStep } from '../../src/storage/rollup-rebuild.ts';
import { createSpendReader } from '../../src/storage/spend-reader.ts';
import { createUsageReader } from '../../src/storage/usage-reader.ts';
import { databaseKinds, migrated, type TestDatabase } from './databases.ts';
import { putOldRun, runRecord } from './records.ts';

const day = 86_400_000;
const hour = day / 24;
const now = Date.now();
const limits: RetentionLimits = { runsDays: 90, runsGb: null, hoursDays: 100, historyDays: 365 };
const countOf = async (database: Database, table: string): Promise<number> =>
  Number((await sql<{ count: number }>`select count(*) as count from ${sql.table(table)}`.execute(database.query)).rows[0]?.count);

async function prune(database: Database, over: Partial<RetentionLimits> = {}, at = now): Promise<number> {
  let steps = 0;
  for (const task of pruneTasks(database, { ...limits, ...over }, () => at)) while (await task.step()) steps++;
  return steps;
}

async function record({ dataDir, logger }: TestDatabase, database: Database, ages: readonly number[], tenant = 'acme'): Promise<void> {
  await using ledger = createLedger({ database, dataDir, logger });
  for (const age of ages) {
    const startedAt = now - age * day;
    const attempts = runRecord().attempts.map((attempt) => ({ ...attempt, startedAt }));
    const usage = { inputTokens: 10, outputTokens: 2 };
    ledger.record(runRecord({ tenant, startedAt, endedAt: startedAt + 5, attempts, usage, cost: 1_000_000, currency: 'USD' }));
  }
  await ledger.flush();
}

const reported = async (database: Database): Promise<[number | undefined, number | undefined]> => {
  const [from, to] = [Math.floor(now / day) - 1_000, Math.floor(now / day) + 1_000];
  const { lines } = await createUsageReader(database).report({ tenant: 'acme', person: null, from, to, by: [], after: null, limit: 10 });
  const [spent] = await createSpendReader(database).since('acme', [0]);
  return [lines[0]?.cost, spent?.since[0]];
};

describe.each(databaseKinds)('retention on $name', ({ missing, ...kind }) => {
  it.skipIf(missing)('deletes old runs with their attempts and old sums by hour, and no sum by day', async () => {
    const { place, database } = await migrated({ missing, ...kind });
    await using _place = place;
    await record(place, database, [...Array.from({ length: 300 }, (_run, index) => 150 + index / 100), 95, 80, 0]);
    const before = await reported(database);
    expect(before).toEqual([303, 303_000_000]);
    const days = await countOf(database, 'llm_rollup_day');

    const expired = (await Promise.all(pruneTasks(database, limits, () => now).map((task) => task.expired()))).flat();
    expect(expired).toContainEqual({ table: 'llm_run', unit: 'rows', count: 301 });
    expect(await countOf(database, 'llm_run_all'), 'counting deletes nothing').toBe(303);

    expect(await prune(database), 'in several steps').toBeGreaterThan(3);
    expect([await countOf(database, 'llm_run_all'), await countOf(database, 'llm_attempt')]).toEqual([2, 4]);
    expect(await reported(database), 'reports and budgets, `total` too').toEqual(before);
    expect(await countOf(database, 'llm_rollup_day')).toBe(days);
    const { rows: hours } = await sql<{ start: number }>`select distinct start from llm_rollup_hour order by start`.execute(database.query);
    expect(hours.map(({ start }) => Math.round((now - Number(start)) / day))).toEqual([95, 80, 0]);
    expect(await prune(database), 'nothing is left').toBe(0);
  });

  it.skipIf(missing)('keeps the quarter hours in which the periods of budgets begin, in every time zone', async () => {
    const { place, database } = await migrated({ missing, ...kind });
    await using _place = place;
    await record(
      place,
      database,
      Array.from({ length: 560 }, (_run, index) => index / 8),
    );
    const before = await countOf(database, 'llm_spend');
    const reader = createSpendReader(database);
    const units = ['day', 'week', 'month', 'total'] as const;
    // The earliest and the latest zone, and one with minutes.
    const zones = ['Pacific/Kiritimati', 'Asia/Kathmandu', 'UTC', 'Etc/GMT+12'];
    // A period that begins later has other quarter hours: each time in the order of the clock.
    const month = monthStart(now);
    for (const at of [month - 15 * hour, month + 11 * hour, month + 30 * hour, now].toSorted((one, other) => one - other)) {
      const moments = zones.flatMap((zone) => units.map((unit) => periodOf(unit, zone, at).from));
      const spent = async () => (await reader.since('acme', moments)).map(({ since }) => since);
      const all = await spent();
      await prune(database, {}, at);
      expect(await spent(), new Date(at).toISOString()).toEqual(all);
    }
    expect(before - (await countOf(database, 'llm_spend')), 'most quarter hours are gone').toBeGreaterThan(300);
  });

  it.skipIf(missing)('deletes at most 200 sums in one step, however many people called in one hour', async () => {
    const { place, database } = await migrated({ missing, ...kind });
    await using _place = place;
    const startedAt = now - 200 * day;
    const usage = { inputTokens: 1, outputTokens: 1 };
    {
      await using ledger = createLedger({ database, dataDir: place.dataDir, logger: place.logger });
      for (let person = 0; person < 450; person++)
        ledger.record(
          runRecord({ subject: `u-${person}`, startedAt, endedAt: startedAt + 5, attempts: [], usage, cost: 5, currency: 'USD' }),
        );
      await ledger.flush();
    }
    const quarters = () => sql`select 1 from llm_spend where span = 'quarter'`.execute(database.query).then(({ rows }) => rows.length);
    const counts = async () => [await countOf(database, 'llm_rollup_hour'), await quarters()] as const;
    expect(await counts()).toEqual([450, 450]);
    for (const task of pruneTasks(database, { ...limits, runsDays: null }, () => now))
      for (let [hours, spent] = await counts(); await task.step();) {
        const left = await counts();
        expect(hours + spent - left[0] - left[1]).toBeLessThanOrEqual(200);
        [hours, spent] = left;
      }
    expect(await counts()).toEqual([0, 0]);
  });

  it.skipIf(missing)('keeps everything where a setting says forever', async () => {
    const { place, database } = await migrated({ missing, ...kind });
    await using _place = place;
    await record(place, database, [1_000, 500, 0]);
    await prune(database, { runsDays: null, hoursDays: null, historyDays: null });
    expect([await countOf(database, 'llm_run_all'), await countOf(database, 'llm_attempt')]).toEqual([3, 6]);
  });

  it.skipIf(missing)('deletes no run of an older version before it is in the roll-ups', async () => {
    const place = await { missing, ...kind }.create();
    await using _place = place;
    const database = await place.open();
    await migrate(database, null, '0050-row-labels');
    await putOldRun(database, { startedAt: now - 200 * day, endedAt: now - 200 * day, cost: 5, currency: 'USD' });
    await migrate(database);
    await prune(database);
    expect(await countOf(database, 'llm_run_all')).toBe(1);
    while (await rebuildStep(database));
    await prune(database, { hoursDays: null });
    expect([await countOf(database, 'llm_run_all'), await countOf(database, 'llm_rollup_day')]).toEqual([0, 1]);
  });

  it.skipIf(missing)('bounds the history of the configuration by age, but keeps the last thousand revisions', async () => {
    const { place, database } = await migrated({ missing, ...kind });
    await using _place = place;
    const change = { sequence: 0, kind: 'model', tenant: 'acme', name: 'x', before: null, after: null, actor: '', summary: '' };
    const at = (age: number): string => new Date(now - age * day).toISOString();
    const rows = Array.from({ length: 1_300 }, (_row, index) => ({ revision: index + 1, at: at(index < 200 ? 500 : 100), ...change }));
    await database.insertMany([{ table: 'llm_config_history', rows }]);
    await sql`update llm_config_revision set revision = 1300`.execute(database.query);
    await prune(database);
    expect(await countOf(database, 'llm_config_history'), 'by age').toBe(1_100);
    await prune(database, { historyDays: 1 });
    expect(await countOf(database, 'llm_config_history'), 'the last revisions stay').toBe(1_000);
    const store = createConfigStore(database);
    await expect(requireHistory(store, 299)).rejects.toMatchObject({
      code: 'invalid_request',
      message: expect.stringContaining('Choose 300') as string,
    });
    await requireHistory(store, 300);
  });
});

describe.skipIf(databaseKinds[1]?.missing === true)('months on PostgreSQL', () => {
  const open = () => migrated(databaseKinds[1] as (typeof databaseKinds)[number]);
  const partitions = async (database: Database, table = 'llm_run_fact'): Promise<string[]> => {
    const { rows } = await sql<{ name: string }>`select inhrelid::regclass::text as name from pg_inherits
      where inhparent = ${table}::regclass order by inhrelid::regclass::text collate "C"`.execute(database.query);
    return rows.map(({ name }) => name);
  };
  const month = (start: number, table = 'llm_run_fact'): string =>
    `${table}_${new Date(start).toISOString().slice(0, 7).replace('-', '_')}`;
  const monthsLater = (count: number): number => {
    const date = new Date(now);
    return Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + count, 10);
  };

  it('have a partition before they begin, and are dropped when the whole month is old', async () => {
    const { place, database } = await open();
    await using _place = place;
    await record(place, database, [0]);
    await prune(database, {}, monthsLater(2));
    expect(await partitions(database)).toEqual([...[0, 1, 2, 3, 4].map((each) => month(monthsLater(each))), 'llm_run_fact_rest']);
    expect(await partitions(database, 'llm_run')).toEqual([
      ...[1, 2, 3, 4].map((each) => month(monthsLater(each), 'llm_run')),
      'llm_run_before',
      'llm_run_rest',
    ]);
    expect((await tableSizes(database)).get('llm_run_fact')).toBeGreaterThan(50_000);
    expect(await prune(database, {}, monthsLater(2))).toBe(0);
    await record(place, database, [(now - monthsLater(1)) / day]);
    await prune(database, { hoursDays: null }, monthsLater(7));
    expect(await partitions(database, 'llm_run')).not.toContain('llm_run_before');
    expect(await partitions(database)).not.toContain(month(monthsLater(1)));
    expect(await countOf(database, 'llm_run_all')).toBe(0);
    expect((await reported(database))[0]).toBe(2);
  });

  it('take their runs out of the rest, where a run waits whose month had no partition, and sum none twice', async () => {
    const { place, database } = await open();
    await using _place = place;
    await record(place, database, [(now - monthsLater(4)) / day]);
    expect(await countOf(database, 'llm_run_fact_rest')).toBe(1);
    await prune(database, {}, monthsLater(3));
    expect([await countOf(database, 'llm_run_fact_rest'), await countOf(database, month(monthsLater(4)))]).toEqual([0, 1]);
    expect((await reported(database))[0]).toBe(1);
  });

  it('record a run once, however often it is written', async () => {
    const { place, database } = await open();
    await using _place = place;
    await using ledger = createLedger({ database, dataDir: place.dataDir, logger: place.logger });
    const runs = [0, 1, 4].map((months) =>
      runRecord({ startedAt: monthsLater(months), usage: { inputTokens: 1, outputTokens: 1 }, cost: 5 }),
    );
    for (let round = 0; round < 2; round++) {
      for (const run of runs) ledger.record(run);
      await ledger.flush();
    }
    expect([await countOf(database, 'llm_run_all'), await countOf(database, 'llm_attempt')]).toEqual([3, 6]);
  });
});

describe('a SQLite file', () => {
  const bytes = async (database: Database): Promise<number> => {
    const { rows } = await sql<{ pages: number }>`select page_count as pages from pragma_page_count()`.execute(database.query);
    return (rows[0]?.pages ?? 0) * 4096;
  };
  const fill = (database: Database): Promise<unknown> =>
    sql`insert into llm_response (id, tenant, issuer, subject, created_at, expires_at, messages, response)
      with recursive n(i) as (select 1 union all select i + 1 from n where i < 3000)
      select 'r-' || i, 't', '', '', 0, 0, hex(randomblob(4000)), '' from n`.execute(database.query);

  it('gives space back in small steps', async () => {
    const { place, database } = await migrated(databaseKinds[0] as (typeof databaseKinds)[number]);
    await using _place = place;
    await fill(database);
    const large = await bytes(database);
    await sql`delete from llm_response`.execute(database.query);
    expect(await bytes(database)).toBe(large);
    const steps = await prune(database);
    expect(steps).toBeGreaterThan(5);
    expect((large - (await bytes(database))) / 4_096 / steps, 'pages in one step').toBeGreaterThanOrEqual(8);
    expect(await bytes(database)).toBeLessThan(large - 5_000_000);
  });

  it('of an older version does so after it was compacted', async () => {
    const { place, database } = await migrated(databaseKinds[0] as (typeof databaseKinds)[number]);
    await using _place = place;
    await sql`pragma auto_vacuum = none`.execute(database.query);
    await sql`vacuum`.execute(database.query);
    await fill(database);
    await sql`delete from llm_response`.execute(database.query);
    expect(await prune(database)).toBe(0);
    const large = await bytes(database);
    await compactFile(database);
    expect(await bytes(database)).toBeLessThan(large - 20_000_000);
    const { rows } = await sql<{ kind: number }>`select auto_vacuum as kind from pragma_auto_vacuum()`.execute(database.query);
    expect(rows[0]?.kind).toBe(2);
  });

  it('loses its oldest runs when it is too large', async () => {
    const { place, database } = await migrated(databaseKinds[0] as (typeof databaseKinds)[number]);
    await using _place = place;
    await record(place, database, [3, 2, 1]);
    await prune(database, { runsGb: 1 });
    expect(await countOf(database, 'llm_run_all')).toBe(3);
    await prune(database, { runsGb: 0.000_001 });
    expect(await countOf(database, 'llm_run_all')).toBe(0);
    expect((await reported(database))[0]).toBe(3);
  });

  it('loses the oldest runs of all tenants first', async () => {
    const { place, database } = await migrated(databaseKinds[0] as (typeof databaseKinds)[number]);
    await using _place = place;
    await record(place, database, [5, 1], 'a');
    await record(place, database, [7, 3], 'b');
    const size = oldRuns(database, null, 0.000_001);
    const left: string[] = [];
    do {
      const rows = await database.query.selectFrom('llm_run_all').select(['tenant', 'started_at']).orderBy('started_at').execute();
      left.push(rows.map((run) => `${run.tenant}${(now - run.started_at) / day}`).join(' '));
    } while (await size.step());
    expect(left).toEqual(['b7 a5 b3 a1', 'a5 b3 a1', 'b3 a1', 'a1', '']);
  });
});
