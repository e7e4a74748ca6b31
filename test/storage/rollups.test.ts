/** Roll-ups by hour and by day: equal to the runs on both databases, however and whenever those were recorded. */
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import type { Database } from '../../src/storage/database.ts';
import { createLedger } from '../../src/storage/ledger.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { insertSeries } from '../../src/storage/migrations/rollup-sums.ts';
import { createRollupReader } from '../../src/storage/rollup-reader.ts';
import { rebuildStep } from '../../src/storage/rollup-rebuild.ts';
import type { AttemptRecord, RunRecord } from '../../src/types/run.ts';
import { databaseKinds, migrated } from './databases.ts';
import { plansOf } from './query-plans.ts';
import { putOldRun, runRecord } from './records.ts';

const hourMs = 3_600_000;
const start = 20_000 * 86_400_000;
const run = (over: Partial<RunRecord>): RunRecord =>
  runRecord({
    startedAt: start,
    firstTokenAt: start + 90,
    endedAt: start + 1_000,
    usage: { inputTokens: 10, outputTokens: 2, cachedInputTokens: 4 },
    cost: 100,
    currency: 'CNY',
    ...over,
  });

interface Sums {
  runs: number;
  calls: number;
  failed: number;
  input_tokens: number;
  cost: number;
  duration_ms: number;
  duration_5: number;
  first_token_1: number;
}

async function sumsOf(database: Database, table: 'llm_rollup_hour' | 'llm_rollup_day'): Promise<Record<string, Sums>> {
  const { rows } = await sql<Sums & { start: number; provider: string; error: string }>`
    select start, provider, error, sum(runs) as runs, sum(calls) as calls, sum(failed) as failed, sum(input_tokens) as input_tokens, sum(cost) as cost,
      sum(duration_ms) as duration_ms, sum(duration_5) as duration_5, sum(first_token_1) as first_token_1
    from ${sql.table(table)} rollup join llm_rollup_series series on series.id = rollup.series
    group by start, provider, error order by start, provider, error`.execute(database.query);
  return Object.fromEntries(
    rows.map(({ start: at, provider, error, ...sums }) => [
      `${(Number(at) - start) / hourMs} ${provider} ${error}`,
      Object.fromEntries(Object.entries(sums).map(([name, value]) => [name, Number(value)])) as unknown as Sums,
    ]),
  );
}

describe.each(databaseKinds)('roll-ups on $name', ({ missing, ...kind }) => {
  it.skipIf(missing)('sum each run once by hour and by day, with its latency', async () => {
    const { place, database } = await migrated({ missing, ...kind });
    await using _place = place;
    await using ledger = createLedger({ database, dataDir: place.dataDir, logger: place.logger });
    const failed = run({ outcome: 'error', error: 'upstream_error', deployment: null, usage: null, cost: null, currency: null });
    const records = [
      run({}),
      run({ subject: 'u-2' }),
      run({ startedAt: start + hourMs, firstTokenAt: null, endedAt: start + hourMs + 30 }),
      run({ startedAt: start + 24 * hourMs, endedAt: start }),
      failed,
      run({ parent: failed.id, root: failed.id, via: 'skill/sum' }),
    ];
    for (const record of [...records, ...records]) ledger.record(record);
    await ledger.flush();
    for (const record of records) ledger.record(record);
    await ledger.flush();

    const whole = { runs: 3, calls: 2, failed: 0, input_tokens: 30, cost: 300, duration_ms: 3_000, duration_5: 3, first_token_1: 3 };
    const quick = { runs: 1, calls: 1, failed: 0, input_tokens: 10, cost: 100, duration_ms: 30, duration_5: 0, first_token_1: 0 };
    const bad = { runs: 1, calls: 1, failed: 1, input_tokens: 0, cost: 0, duration_ms: 0, duration_5: 0, first_token_1: 0 };
    expect(await sumsOf(database, 'llm_rollup_hour')).toEqual({
      '0 openai ': whole,
      '0 openai upstream_error': bad,
      '1 openai ': quick,
      // The clock went back: no time instead of a negative one.
      '24 openai ': { ...quick, duration_ms: 0 },
    });
    expect(await sumsOf(database, 'llm_rollup_day')).toEqual({
      '0 openai ': { ...whole, runs: 4, calls: 3, input_tokens: 40, cost: 400, duration_ms: 3_030 },
      '0 openai upstream_error': bad,
      '24 openai ': { ...quick, duration_ms: 0 },
    });
  });

  it.skipIf(missing)('contain the runs of older versions once, also when new runs of the same hours come during the rebuild', async () => {
    const place = await { missing, ...kind }.create();
    await using _place = place;
    const database = await place.open();
    await migrate(database, null, '0050-row-labels');
    const old = { usage: { inputTokens: 10, outputTokens: 2 }, cost: 100, currency: 'CNY', endedAt: start + 1_000 };
    for (const hours of [0, 0, 2, 30]) await putOldRun(database, { ...old, startedAt: start + hours * hourMs });
    await putOldRun(database, { ...old, tenant: 'other', startedAt: start });
    await migrate(database);
    expect(await sumsOf(database, 'llm_rollup_day')).toEqual({});

    await using ledger = createLedger({ database, dataDir: place.dataDir, logger: place.logger });
    let steps = 0;
    while (await rebuildStep(database)) {
      steps++;
      // After each step, until the last hour is summed, a run of an hour that was summed and one of an hour that was not.
      if (steps > 2) continue;
      ledger.record(run({ startedAt: start + 30 * hourMs }));
      ledger.record(run({ startedAt: start + 1 * hourMs }));
      await ledger.flush();
    }
    expect(steps, 'a step for each hour of a tenant with runs of the older version, and one for its end').toBe(4 + 2);
    const byHour = await sumsOf(database, 'llm_rollup_hour');
    expect(Object.fromEntries(Object.entries(byHour).map(([key, { runs }]) => [key, runs]))).toEqual({
      '0 openai ': 3,
      '1 openai ': 2,
      '2 openai ': 1,
      '30 openai ': 3,
    });
    const byDay = await sumsOf(database, 'llm_rollup_day');
    expect(Object.fromEntries(Object.entries(byDay).map(([key, { runs, cost }]) => [key, [runs, cost]]))).toEqual({
      '0 openai ': [6, 600],
      '24 openai ': [3, 300],
    });
    expect(await rebuildStep(database), 'nothing is left').toBe(false);
  });

  it.skipIf(missing)('by deployment have the tokens and money of attempts, in the hour of each attempt', async () => {
    const { place, database } = await migrated({ missing, ...kind });
    await using _place = place;
    await using ledger = createLedger({ database, dataDir: place.dataDir, logger: place.logger });
    const [failed, answered] = runRecord().attempts as [AttemptRecord, AttemptRecord];
    const used = (tokens: number) => ({
      usage: { inputTokens: tokens, outputTokens: 1 },
      cost: tokens * 10,
      costFemto: 0,
      currency: 'CNY',
    });
    // The first attempt was billed too, and the second one began in the next hour.
    const first = { ...failed, startedAt: start, ...used(7) };
    const second = { ...answered, startedAt: start + hourMs, ...used(10) };
    ledger.record(run({ ...used(10), attempts: [first, second] }));
    // The only attempt began in the next hour.
    ledger.record(run({ ...used(20), attempts: [{ ...answered, number: 1, startedAt: start + hourMs, ...used(20) }] }));
    // Without an attempt, such as the call of a tool with a price.
    ledger.record(run({ ...used(40), deployment: null, attempts: [] }));
    await ledger.flush();
    const asked = { tenant: 'acme', person: null, only: {}, top: 10, by: ['deployment'], from: start, to: start + 24 * hourMs } as const;
    const inSeries = async (step: 'hour' | 'day', over: object = {}) => {
      const { total, series } = await createRollupReader(database).series({ ...asked, step, ...over });
      const ofPoints = series.map(({ of, points }) => [
        of?.deployment ?? of?.model ?? null,
        points.map((point) => [(point.start - start) / hourMs, point.runs, point.input_tokens, point.cost['CNY'] ?? 0]),
      ]);
      expect(total.input_tokens).toBe(series.reduce((sum, each) => sum + each.total.input_tokens, 0));
      return Object.fromEntries(ofPoints) as Record<string, number[][]>;
    };
    const atHours = {
      'gpt-4o#azure/gpt-4o': [[0, 0, 7, 0.000_07]],
      'gpt-4o#openai/gpt-4o': [
        [0, 2, 0, 0],
        [1, 0, 30, 0.000_3],
      ],
      null: [[0, 1, 0, 0]],
    };
    expect(await inSeries('hour')).toEqual(atHours);
    expect(await inSeries('day')).toEqual({
      'gpt-4o#azure/gpt-4o': [[0, 0, 7, 0.000_07]],
      'gpt-4o#openai/gpt-4o': [[0, 2, 30, 0.000_3]],
      null: [[0, 1, 0, 0]],
    });
    expect(await inSeries('hour', { by: [], only: { provider: 'azure' } })).toEqual({ null: atHours['gpt-4o#azure/gpt-4o'] });
    expect(await inSeries('day', { by: ['model'] }), 'by model those of runs').toEqual({ 'gpt-4o': [[0, 3, 70, 0.000_7]] });
  });

  it.skipIf(missing)('are read while a new series begins between two statements', async () => {
    const { place, database } = await migrated({ missing, ...kind });
    await using _place = place;
    await using ledger = createLedger({ database, dataDir: place.dataDir, logger: place.logger });
    ledger.record(run({}));
    await ledger.flush();
    let results = 0;
    const query = database.query.withPlugin({
      transformQuery: ({ node }) => node,
      async transformResult({ result }) {
        if (results++ > 0) return result;
        ledger.record(run({ client: 'new' }));
        await ledger.flush();
        return result;
      },
    });
    const asked = {
      tenant: 'acme',
      person: null,
      only: {},
      top: 10,
      by: ['client'],
      step: 'hour',
      from: start,
      to: start + hourMs,
    } as const;
    const before = await createRollupReader({ ...database, query }).series(asked);
    expect(before.series.map(({ total }) => total.runs)).toEqual([1]);
    expect((await createRollupReader(database).series(asked)).series).toHaveLength(2);
  });

  it.skipIf(missing)('read each sum once, and find its series by a key', async () => {
    const { place, database } = await migrated({ missing, ...kind });
    await using _place = place;
    await using ledger = createLedger({ database, dataDir: place.dataDir, logger: place.logger });
    for (let index = 0; index < 300; index++) ledger.record(runRecord({ subject: `u-${index}`, attempts: [] }));
    await ledger.flush();
    if (database.kind === 'postgres') await sql`analyze`.execute(database.query);
    const from = Math.floor(runRecord().startedAt / 86_400_000) * 86_400_000;
    const asked = { tenant: 'acme', person: null, from, to: from + 86_400_000, step: 'day', by: ['user'], only: {}, top: 10 } as const;
    const plans = await plansOf(database, (recording) => createRollupReader(recording).series(asked));
    expect(plans.length).toBeGreaterThan(1);
    for (const plan of plans) expect(plan).not.toMatch(/SCAN series|SCAN placed|Nested Loop/);
  });
});

describe.skipIf(databaseKinds[1]?.missing === true)('the rebuild on PostgreSQL', () => {
  it('waits for a writer of the same series without holding what the writer needs next', async () => {
    const place = await (databaseKinds[1] as (typeof databaseKinds)[number]).create();
    await using _place = place;
    const database = await place.open();
    await migrate(database, null, '0050-row-labels');
    await putOldRun(database, { startedAt: start, endedAt: start + 1_000 });
    await migrate(database);
    const step = await database.query.transaction().execute(async (writer) => {
      await insertSeries(sql`llm_run run where true`, true).execute(writer);
      const rebuilding = rebuildStep(database);
      rebuilding.catch(() => {});
      const waiting = sql<{ count: number }>`select count(*) as count from pg_locks where not granted and database =
        (select oid from pg_database where datname = current_database()) or not granted and locktype = 'transactionid'`;
      await expect.poll(async () => Number((await waiting.execute(database.query)).rows[0]?.count)).toBeGreaterThan(0);
      await sql`lock table llm_rollup_hour in row exclusive mode`.execute(writer);
      return { rebuilding };
    });
    expect(await step.rebuilding).toBe(true);
  });
});
