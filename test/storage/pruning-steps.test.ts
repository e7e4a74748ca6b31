/** The steps of retention do work in proportion to what they delete, and none waits for a reader. */
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { requireHistory } from '../../src/config/rollback.ts';
import { createConfigStore } from '../../src/storage/config-store.ts';
import type { Database } from '../../src/storage/database.ts';
import { createLedger } from '../../src/storage/ledger.ts';
import { monthStart } from '../../src/storage/migrations/month-partitions.ts';
import type { RetentionLimits } from '../../src/storage/retention/prune-task.ts';
import { pruneTasks } from '../../src/storage/retention/retention.ts';
import { databaseKinds, eventually, migrated, type TestDatabase } from './databases.ts';
import { runRecord } from './records.ts';

const day = 86_400_000;
const now = Date.now();
const limits: RetentionLimits = { runsDays: 90, runsGb: null, hoursDays: 100, historyDays: 365 };
const postgresKind = databaseKinds[1] as (typeof databaseKinds)[number];
const countOf = async (database: Database, table: string): Promise<number> =>
  Number((await sql<{ count: number }>`select count(*) as count from ${sql.table(table)}`.execute(database.query)).rows[0]?.count);

/** The most rows of the table that one step deleted. */
async function prune(database: Database, table: string): Promise<number> {
  let most = 0;
  for (const task of pruneTasks(database, limits, () => now))
    for (let before = await countOf(database, table); await task.step();) {
      const left = await countOf(database, table);
      most = Math.max(most, before - left);
      before = left;
    }
  return most;
}

async function record({ dataDir, logger }: TestDatabase, database: Database, starts: readonly number[]): Promise<void> {
  await using ledger = createLedger({ database, dataDir, logger });
  for (const startedAt of starts) {
    const attempts = runRecord().attempts.map((attempt) => ({ ...attempt, startedAt }));
    ledger.record(runRecord({ startedAt, endedAt: startedAt + 5, attempts }));
  }
  await ledger.flush();
}

describe.each(databaseKinds)('steps of retention on $name', ({ missing, ...kind }) => {
  it.skipIf(missing)('delete stored responses and contents of runs a few at a time, and none before its time', async () => {
    const { place, database } = await migrated({ missing, ...kind });
    await using _place = place;
    const expiry = (index: number): number => (index < 900 ? now - index : now + day);
    const rows = Array.from({ length: 1_000 }, (_row, index) => ({ id: `id-${index}`, expires_at: expiry(index) }));
    const response = { tenant: 'acme', issuer: '', subject: '', created_at: 0, messages: '[]', response: '{}' };
    await database.insertMany([
      { table: 'llm_run_content', rows: rows.map((row) => ({ ...row, content: 'x' })) },
      { table: 'llm_response', rows: rows.map((row) => ({ ...row, ...response })) },
    ]);
    for (const table of ['llm_run_content', 'llm_response']) {
      const tasks = pruneTasks(database, limits, () => now);
      const expired = (await Promise.all(tasks.map((task) => task.expired()))).flat();
      expect(expired).toContainEqual({ table, unit: 'rows', count: 900 });
    }
    const copy = async (): Promise<number> => (await countOf(database, 'llm_run_content')) + (await countOf(database, 'llm_response'));
    for (const task of pruneTasks(database, limits, () => now))
      for (let before = await copy(); await task.step();) {
        const left = await copy();
        expect(before - left).toBeLessThanOrEqual(200);
        before = left;
      }
    expect([await countOf(database, 'llm_run_content'), await countOf(database, 'llm_response')]).toEqual([100, 100]);
  });

  it.skipIf(missing)('delete a revision with many changes in parts, and no one rolls back to a part', async () => {
    const { place, database } = await migrated({ missing, ...kind });
    await using _place = place;
    const change = { kind: 'model', tenant: 'acme', name: 'x', before: null, after: null, actor: '', summary: '' };
    const rows = Array.from({ length: 1_500 }, (_row, index) => ({
      revision: 7,
      sequence: index,
      at: new Date(0).toISOString(),
      ...change,
    }));
    const next = { ...change, revision: 8, sequence: 0, at: new Date(0).toISOString() };
    const last = { ...change, revision: 2_000, sequence: 0, at: new Date(now).toISOString() };
    await database.insertMany([{ table: 'llm_config_history', rows: [...rows, next, last] }]);
    await sql`update llm_config_revision set revision = 2000`.execute(database.query);
    const store = createConfigStore(database);
    await requireHistory(store, 6);
    const history = pruneTasks(database, limits, () => now);
    for (const task of history) if (await task.step()) break;
    const left = await countOf(database, 'llm_config_history');
    expect(left).toBeGreaterThan(1_000);
    expect(left).toBeLessThan(1_502);
    await expect(requireHistory(store, 6)).rejects.toMatchObject({ code: 'invalid_request' });
    await requireHistory(store, 7);
    expect(await prune(database, 'llm_config_history')).toBeLessThanOrEqual(200);
    expect(await countOf(database, 'llm_config_history')).toBe(1);
  });
});

describe.skipIf(postgresKind.missing)('steps of retention on PostgreSQL', () => {
  it('read each deleted row once, while an open snapshot keeps it in the indexes, and attempts in the months of their runs alone', async () => {
    const place = await postgresKind.createMigrated();
    await using _place = place;
    const count = 1_200;
    const writer = await place.open();
    // Each in an hour of its own, so that each has a sum by hour, too.
    const starts = Array.from({ length: count }, (_run, index) => now - 150 * day - index * 3_600_000);
    await record(place, writer, starts);
    await sql`analyze`.execute(writer.query);
    const name = new URL(place.url ?? '').pathname.slice(1);
    // The planner would read tables of this size whole.
    await sql`alter database ${sql.ref(name)} set enable_seqscan = off`.execute(writer.query);
    // A connection publishes its counts at its end.
    await writer.close();
    const other = await place.open();
    await sql`select pg_stat_reset()`.execute(other.query);
    const pruner = await place.open();
    await other.query
      .transaction()
      .setIsolationLevel('repeatable read')
      .execute(async (snapshot) => {
        await sql`select 1 from llm_run_person limit 1`.execute(snapshot);
        for (const task of pruneTasks(pruner, limits, () => now)) while (await task.step());
      });
    await pruner.close();
    const counted = new Map<string, { readonly read: number; readonly scans: number }>();
    const runs = 'llm_run_fact_rest_tenant_started_at_idx';
    await eventually(async () => {
      const { rows } = await sql<{ name: string; read: string; scans: string }>`select indexrelname as name, idx_tup_read as read,
        idx_scan as scans from pg_stat_user_indexes`.execute(other.query);
      for (const row of rows) counted.set(row.name, { read: Number(row.read), scans: Number(row.scans) });
      return (counted.get(runs)?.read ?? 0) >= count && (counted.get('llm_attempt_key')?.scans ?? 0) > 0;
    });
    for (const index of [runs, 'llm_rollup_hour_key']) {
      expect(counted.get(index)?.read, index).toBeGreaterThanOrEqual(count);
      expect(counted.get(index)?.read, index).toBeLessThan(2 * count);
    }
    expect([await countOf(other, 'llm_run_fact'), await countOf(other, 'llm_rollup_hour')]).toEqual([0, 0]);
    const ofAttempts = [...counted].filter(
      ([index, { scans }]) => /^llm_attempt_(before_|rest_|\d{4}_\d\d_)?p?key$/.test(index) && scans > 0,
    );
    expect(ofAttempts.map(([index]) => index)).toEqual(['llm_attempt_key']);
  });

  it('do not wait for a reader who keeps a month from being dropped: all else is deleted, and the month at another time', async () => {
    const { place, database } = await migrated(postgresKind);
    await using _place = place;
    const isThere = async (): Promise<boolean> =>
      (await sql<{ there: boolean }>`select to_regclass('llm_run_before') is not null as there`.execute(database.query)).rows[0]?.there ===
      true;
    // The partition with everything before the first upgrade is old.
    const later = monthStart(now, 8);
    await record(place, database, [now - 150 * day]);
    const all = async (): Promise<void> => {
      for (const task of pruneTasks(database, limits, () => later)) while (await task.step());
    };
    const reader = await place.open();
    await reader.query.transaction().execute(async (reading) => {
      await sql`lock table llm_run, llm_run_fact, llm_attempt in access share mode`.execute(reading);
      await all();
    });
    expect([await isThere(), await countOf(database, 'llm_run_fact')]).toEqual([true, 0]);
    await all();
    expect(await isThere()).toBe(false);
  });
});
