/** All sums of a batch are the same on both databases, which make them by different statements. */
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import type { Database } from '../../src/storage/database.ts';
import { createFailedAttemptsReader } from '../../src/storage/failed-attempts.ts';
import { createLedger } from '../../src/storage/ledger.ts';
import type { RunRecord } from '../../src/types/run.ts';
import { databaseKinds, migrated } from './databases.ts';
import { putOldRun, runRecord } from './records.ts';

const start = 20_000 * 86_400_000;
const tables = [
  'llm_usage_day',
  'llm_spend',
  'llm_attempt_day',
  'llm_rollup_hour',
  'llm_rollup_day',
  'llm_rollup_hour_adjustment',
  'llm_rollup_day_adjustment',
  'llm_team_day',
  'llm_team_rollup_hour',
  'llm_team_rollup_day',
  'llm_failed_attempt_hour',
] as const;

/** Runs of many kinds. Each field repeats after another number of runs, so that many combinations occur. */
function runs(count: number): RunRecord[] {
  return Array.from({ length: count }, (_run, index) => {
    const of = <T>(...values: T[]): T => values[index % values.length] as T;
    const startedAt = start + index * 1_700_000;
    const usage = of(
      null,
      { inputTokens: index, outputTokens: 2, cachedInputTokens: 1, reasoningTokens: 5 },
      { inputTokens: 2e15, outputTokens: 1 },
    );
    const deployment = of('gpt-4o#azure/gpt-4o', null, 'other#openai/gpt', 'gpt-4o#azure/gpt-4o', 'model#p/a/b');
    const cost = usage === null ? null : of(0, 100, index * 7);
    const base = runRecord({
      tenant: of('acme', 'globex'),
      subject: of('u-1', 'u-2', 'u-3', 'u-1', 'u-2'),
      issuer: of('https://auth.example', null as unknown as string),
      client: of(null, 'cli', null),
      key: of(null, null, null, 'key-1'),
      via: of(null, 'skill/review', null, 'mcp/tools'),
      parent: of(null, null, 'run-0'),
      roles: of(['user'], ['user', 'beta'], []),
      capability: of('model/gpt-4o', 'skill/review', 'model/other', 'mcp/tools/read'),
      outcome: of('complete', 'complete', 'error', 'complete', 'aborted', 'complete', 'complete'),
      error: of(null, null, 'upstream_error'),
      startedAt,
      firstTokenAt: of(null, startedAt + index, startedAt - 5),
      endedAt: startedAt + of(-3, 10, 50, 51, 900, 300_000, index * 13),
      deployment,
      usage: usage === null ? null : { ...usage, ...(index % 4 === 0 ? { estimated: true, pictures: 2 } : {}) },
      cost,
      costFemto: cost === null ? 0 : of(0, 5, 999_999_999),
      currency: cost === null ? null : of('CNY', 'USD', null as unknown as string),
      ...(index % 5 === 0 ? { unbudgeted: true } : {}),
    });
    const [, second] = base.attempts;
    if (second === undefined || index % 2 === 0) return index % 6 === 0 ? { ...base, attempts: [] } : base;
    const own = {
      ...second,
      number: 1,
      deployment: deployment ?? 'none',
      startedAt: startedAt + 40_000_000,
      detail: null,
      outcome: of<'complete' | 'error'>('complete', 'error', 'complete'),
      usage: base.usage,
    };
    return { ...base, attempts: [{ ...own, cost: base.cost, costFemto: base.costFemto ?? 0, currency: base.currency }] };
  });
}

/** The rows of a table as text, without the numbers of series. PostgreSQL stores null for sums that are 0. */
async function rowsOf(database: Database, table: (typeof tables)[number]): Promise<string[]> {
  const from = table.includes('_rollup_') ? sql`${sql.table(table)} join llm_rollup_series on id = series` : sql.table(table);
  const { rows } = await sql<Record<string, string | number | bigint | null>>`select * from ${from}`.execute(database.query);
  return rows
    .map((row) => {
      const fields = Object.entries(row).filter(([name]) => !['id', 'series', 'digest'].includes(name));
      return fields
        .map(([name, value]) => `${name}=${String(value ?? 0)}`)
        .sort()
        .join(' ');
    })
    .sort();
}

async function sumsOn(kind: (typeof databaseKinds)[number], records: readonly RunRecord[]): Promise<Record<string, string[]>> {
  const { place, database } = await migrated(kind);
  await using _place = place;
  for (const [index, role] of ['user', 'beta', 'research'].entries())
    await sql`insert into llm_team (id, tenant, name, spec, enabled, revision, created_at, created_by, updated_at, updated_by)
      values (${`team-${index}`}, 'acme', ${role}, ${JSON.stringify({ role, administrators: [] })}, 1, 1, '', '', '', '')`.execute(
      database.query,
    );
  await using ledger = createLedger({ database, dataDir: place.dataDir, logger: place.logger });
  for (const half of [records.slice(0, 100), records.slice(100)]) {
    for (const record of half) ledger.record(record);
    await ledger.flush();
  }
  const all: Record<string, string[]> = {};
  for (const table of tables) all[table] = await rowsOf(database, table);
  return all;
}

describe.each(databaseKinds)('failed attempts on $name', ({ missing, ...kind }) => {
  it.skipIf(missing)('are counted by hour and deployment, also where another deployment answered, and never aborted ones', async () => {
    const { place, database } = await migrated({ missing, ...kind });
    await using _place = place;
    await using ledger = createLedger({ database, dataDir: place.dataDir, logger: place.logger });
    const [failed, answered] = runRecord().attempts;
    if (failed === undefined || answered === undefined) throw new Error('The sample run has two attempts.');
    const hour = 3_600_000;
    const at = start + 5 * hour;
    const attemptAt = (startedAt: number, over: object = {}) => ({ ...failed, startedAt, ...over });
    const records = [
      // Another deployment answered, twice in one hour; and an attempt in the hour after that of its run.
      runRecord({ startedAt: at, attempts: [attemptAt(at), { ...answered, startedAt: at + 1 }] }),
      runRecord({ startedAt: at, attempts: [attemptAt(at + hour - 1), attemptAt(at + hour, { number: 2 })] }),
      // The only attempt failed; the caller left; it answered.
      runRecord({ startedAt: at, outcome: 'error', attempts: [attemptAt(at, { deployment: 'b' })] }),
      runRecord({ startedAt: at, outcome: 'aborted', attempts: [attemptAt(at, { outcome: 'aborted' })] }),
      runRecord({ startedAt: at, attempts: [{ ...answered, number: 1 }] }),
      runRecord({ startedAt: at, tenant: 'globex', attempts: [attemptAt(at)] }),
    ];
    for (const record of records) ledger.record(record);
    await ledger.flush();
    const reader = createFailedAttemptsReader(database);
    const query = { tenant: 'acme', from: start, to: start + 24 * hour, top: 10 };
    const azure = {
      deployment: 'gpt-4o#azure/gpt-4o',
      points: [
        { start: at, failed: 2 },
        { start: at + hour, failed: 1 },
      ],
    };
    expect(await reader.byHour(query)).toEqual([{ deployment: 'b', points: [{ start: at, failed: 1 }] }, azure]);
    expect(await reader.byHour({ ...query, top: 1 })).toEqual([azure]);
    expect(await reader.byHour({ ...query, to: at })).toEqual([]);
    // A run of a version before the narrow rows, whose attempts a node of that version inserts.
    await putOldRun(database, { id: 'old', startedAt: at });
    await sql`insert into llm_attempt (run_id, number, deployment, provider, upstream_model, started_at, ended_at, outcome)
      values ('old', 1, ${failed.deployment}, 'azure', 'gpt-4o', ${at}, ${at}, 'error')`.execute(database.query);
    if (database.kind === 'sqlite')
      await sql`insert into llm_attempt_batch (after_rowid) select max(rowid) - 1 from llm_attempt`.execute(database.query);
    expect((await reader.byHour({ ...query, top: 1 }))[0]?.points).toEqual([
      { start: at, failed: 3 },
      { start: at + hour, failed: 1 },
    ]);
  });
});

describe.skipIf(databaseKinds.some(({ missing }) => missing))('the sums of a batch', () => {
  it('are the same on both databases for runs of many kinds, and each table has rows', async () => {
    const records = runs(840);
    const [ofFile, ofServer] = await Promise.all(databaseKinds.map((kind) => sumsOn(kind, records)));
    for (const table of tables) {
      expect(ofFile?.[table]?.length, table).toBeGreaterThan(40);
      expect(ofFile?.[table], table).toEqual(ofServer?.[table]);
    }
  });

  it('leave no row in the table that one batch is summed in', async () => {
    const { place, database } = await migrated(databaseKinds[0] as (typeof databaseKinds)[number]);
    await using _place = place;
    await using ledger = createLedger({ database, dataDir: place.dataDir, logger: place.logger });
    ledger.record(runRecord());
    await ledger.flush();
    expect((await sql`select * from llm_batch_sum`.execute(database.query)).rows).toEqual([]);
    expect(await rowsOf(database, 'llm_usage_day')).toHaveLength(1);
  });
});
