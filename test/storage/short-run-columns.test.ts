/** The short columns of runs on PostgreSQL (decision 70): every value comes back as it was written, also beside rows of older versions. */
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import type { Database } from '../../src/storage/database.ts';
import { createLedger } from '../../src/storage/ledger.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { packedHex } from '../../src/storage/packed-ids.ts';
import { createRunReader } from '../../src/storage/run-reader.ts';
import { createUsageReader } from '../../src/storage/usage-reader.ts';
import type { AttemptRecord, RunRecord } from '../../src/types/run.ts';
import { databaseKinds, migrated } from './databases.ts';
import { runRecord } from './records.ts';

const start = 1_795_000_000_000;
const uuid = (index: number): string => `019aaaaa-0000-7000-8000-${index.toString(16).padStart(12, '0')}`;
const [, answered] = runRecord().attempts as [AttemptRecord, AttemptRecord];

/** A run with one attempt, whose times are those of the run except for `attempt`. */
function single(index: number, over: Partial<RunRecord>, attempt: Partial<AttemptRecord> = {}): RunRecord {
  const run = runRecord({ id: uuid(index), requestId: uuid(1_000 + index), startedAt: start + index, cost: 7, costFemto: 0, ...over });
  const { usage, cost, costFemto, currency, startedAt, firstTokenAt, endedAt } = run;
  const only = { ...answered, number: 1, usage, cost, costFemto, currency, startedAt, firstTokenAt, endedAt, ...attempt };
  return { ...run, attempts: [only as AttemptRecord] };
}

/** Numbers on both sides of what two and four bytes hold. */
const runs: readonly RunRecord[] = [
  single(0, {}),
  single(1, { requestId: 'chosen-by-a-client' }),
  single(2, { requestId: uuid(2).toUpperCase(), parent: uuid(0), root: uuid(0), onBehalfOf: 'u-9' }),
  single(3, { usage: { inputTokens: 2_147_483_647, outputTokens: 2_147_483_648, cachedInputTokens: 0, reasoningTokens: 4_000_000_000 } }),
  single(4, { endedAt: start + 2_147_483_652, firstTokenAt: start + 2_147_483_651 }),
  single(5, { endedAt: start - 90_000, firstTokenAt: start - 40_000 }),
  single(6, {}, { startedAt: start + 32_773, firstTokenAt: start + 32_774, endedAt: start + 32_775 }),
  single(7, {}, { startedAt: start + 32_774, firstTokenAt: start - 80_000, endedAt: start + 90_000 }),
  single(8, { firstTokenAt: null }),
  single(9, { firstTokenAt: null }, { firstTokenAt: start + 12 }),
  single(10, {}, { firstTokenAt: null }),
  single(11, { cost: 2_147_483_648, costFemto: 999_999_999 }),
  single(12, { cost: 0, costFemto: 5, revision: 2_147_483_648 }),
  single(13, { cost: null, currency: null, usage: { inputTokens: 1, outputTokens: 0, cacheWriteTokens: 3_000_000_000, pictures: 2 } }),
  runRecord({ id: uuid(14), startedAt: start + 14, usage: null, cost: null, currency: null, outcome: 'error', error: 'upstream_error' }),
];

const read = async (database: Database, list: readonly RunRecord[]) => {
  const reader = createRunReader(database, { read: () => Promise.resolve(new Map()) });
  const { data } = await reader.list({ tenant: 'acme', owner: null, filter: {}, after: null, limit: 100 });
  return { list: data, each: await Promise.all(list.map(({ id }) => reader.get('acme', id, null))) };
};

/** The row of a run as the version before the short columns wrote it. */
async function putLongRow({ query }: Database, run: RunRecord): Promise<void> {
  const dimension = async (name: string, values: Record<string, string | number | null>): Promise<number> => {
    const columns = sql.join(Object.keys(values).map((column) => sql.ref(column)));
    const { rows } = await sql<{ id: number }>`insert into ${sql.table(`llm_run_${name}`)} (digest, ${columns})
      values (${`long ${name}`}, ${sql.join(Object.values(values))}) on conflict (digest) do update set digest = excluded.digest
      returning id`.execute(query);
    return rows[0]?.id ?? 0;
  };
  const row = {
    id: packedHex(run.id),
    request_id: packedHex(run.requestId),
    started_at: run.startedAt,
    ended_ms: run.endedAt - run.startedAt,
    first_token_ms: 200,
    attempt_started_ms: 0,
    attempt_first_token_ms: 200,
    attempt_ended_ms: run.endedAt - run.startedAt,
    input_tokens: 5,
    output_tokens: 7,
    cost: run.cost,
    cost_femto: 0,
    revision: run.revision,
    tenant: run.tenant,
    person: await dimension('person', { tenant: run.tenant, issuer: run.issuer, subject: run.subject }),
    caller: await dimension('caller', { username: run.username, client: null, roles: 'user beta' }),
    target: await dimension('target', { tenant: run.tenant, capability: run.capability }),
    result: await dimension('result', {
      operation: run.operation,
      streamed: 1,
      outcome: run.outcome,
      deployment: run.deployment,
      provider: 'openai',
      currency: run.currency,
      usage_estimated: 0,
      unbudgeted: 0,
      attempt_upstream_model: 'gpt-4o',
      attempt_status: 200,
    }),
  };
  await sql`insert into llm_run_fact select * from json_populate_recordset(null::llm_run_fact, ${JSON.stringify([row])}::json)`.execute(
    query,
  );
}

describe.skipIf(databaseKinds.some(({ missing }) => missing))('the short columns of runs', () => {
  it('give every value back as the long columns of SQLite do', async () => {
    const [ofFile, ofServer] = await Promise.all(
      databaseKinds.map(async (kind) => {
        const { place, database } = await migrated(kind);
        await using _place = place;
        await using ledger = createLedger({ database, dataDir: place.dataDir, logger: place.logger });
        for (const run of runs) ledger.record(run);
        await ledger.flush();
        expect(place.logger.lines.filter(({ level }) => level === 'error' || level === 'warn')).toEqual([]);
        const byRequest = await Promise.all(
          runs.map(async ({ requestId }) => {
            const reader = createRunReader(database, { read: () => Promise.resolve(new Map()) });
            return (await reader.list({ tenant: 'acme', owner: null, filter: { requestId }, after: null, limit: 100 })).data;
          }),
        );
        expect(byRequest.map((found) => found.map(({ id }) => id))).toEqual(runs.map(({ id }) => [id]));
        const { rows } = await sql`select * from llm_run_all order by started_at`.execute(database.query);
        return { ...(await read(database, runs)), rows };
      }),
    );
    expect(ofServer?.list).toHaveLength(runs.length);
    expect(ofServer).toEqual(ofFile);
  });

  it('hold the numbers of a usual run alone', async () => {
    const { place, database } = await migrated(databaseKinds[1] as (typeof databaseKinds)[number]);
    await using _place = place;
    await using ledger = createLedger({ database, dataDir: place.dataDir, logger: place.logger });
    ledger.record(single(0, { usage: { inputTokens: 900, outputTokens: 80, cachedInputTokens: 0 } }));
    await ledger.flush();
    const { rows } = await sql<Record<string, unknown>>`select * from llm_run_fact`.execute(database.query);
    const filled = Object.keys(rows[0] ?? {}).filter((name) => rows[0]?.[name] !== null);
    expect(filled.filter((name) => /_ms$|_tokens$|cost|revision|request/.test(name)).toSorted()).toEqual([
      'request_uuid',
      'short_attempt_started_ms',
      'short_cached_input_tokens',
      'short_cost',
      'short_ended_ms',
      'short_first_token_ms',
      'short_input_tokens',
      'short_output_tokens',
      'short_revision',
    ]);
  });

  it('lie beside the rows of an older version, before and after the upgrade, in one list and in the same sums', async () => {
    const place = await (databaseKinds[1] as (typeof databaseKinds)[number]).create();
    await using _place = place;
    const database = await place.open();
    await migrate(database, null, '0071-team-days');
    const usage = { inputTokens: 5, outputTokens: 7 };
    const [before, beside, own] = [1, 2, 3].map((index) => single(index, { usage })) as [RunRecord, RunRecord, RunRecord];
    await putLongRow(database, before);
    await migrate(database);
    // An older node that still runs.
    await putLongRow(database, beside);
    await using ledger = createLedger({ database, dataDir: place.dataDir, logger: place.logger });
    ledger.record(own);
    await ledger.flush();
    const { list, each } = await read(database, [before, beside, own]);
    expect(list.map(({ id }) => id)).toEqual([own.id, beside.id, before.id]);
    expect(each.map((run) => run?.attempts[0]?.first_token_at)).toEqual(
      Array(3)
        .fill(new Date(start + 200).toISOString())
        .map((_time, index) =>
          index === 2 ? new Date(own.firstTokenAt ?? 0).toISOString() : new Date(start + index + 1 + 200).toISOString(),
        ),
    );
    const reader = createRunReader(database, { read: () => Promise.resolve(new Map()) });
    for (const { id, requestId } of [before, beside, own]) {
      const found = await reader.list({ tenant: 'acme', owner: null, filter: { requestId }, after: null, limit: 5 });
      expect(found.data.map((run) => run.id)).toEqual([id]);
    }
    const day = Math.floor(start / 86_400_000);
    const report = await createUsageReader(database).report({
      tenant: 'acme',
      person: null,
      from: day,
      to: day + 1,
      by: ['deployment'],
      after: null,
      limit: 9,
    });
    expect(report.lines).toMatchObject([{ runs: 3, attempts: 3, input_tokens: 15, output_tokens: 21 }]);
    for (const span of ['hour', 'day']) {
      const { rows } = await sql<Record<string, unknown>>`select * from ${sql.table(`llm_rollup_${span}`)}`.execute(database.query);
      // A row that has no failure says so by null, or by the 0 of the older version.
      expect(
        rows.map((row) => [row['runs'], row['failed'] ?? 0, row['duration_0'] ?? 0, row['input_tokens']]),
        span,
      ).toEqual([[3, 0, 0, 15]]);
    }
  });
});
