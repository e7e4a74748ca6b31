/** Computes daily sums from runs, for the migrations after 0019 that change them. Invalid counts are ignored. */
import { type Kysely, PostgresAdapter, type RawBuilder, sql } from 'kysely';

const dayMs = sql.lit(86_400_000);

/** Without null values, so that runs of the same kind share a row. */
export const dayKeys = ['tenant', 'day', 'issuer', 'subject', 'client', 'key_id', 'capability', 'deployment', 'via', 'currency'] as const;

/** The largest count, and the largest amount in micro-units, of one run. Sums of many runs stay within 64 bits. */
export const largestCount = 1_000_000_000_000;
export const largestCost = 1_000_000_000_000_000;

export const tokenColumns = ['input_tokens', 'output_tokens', 'cached_input_tokens', 'reasoning_tokens'] as const;

export function isPostgres(database: Kysely<unknown>): boolean {
  return database.getExecutor().adapter instanceof PostgresAdapter;
}

/** True, false, or null for null. */
export function possible(value: RawBuilder<unknown>, most: number, postgres: boolean): RawBuilder<boolean> {
  const range = sql<boolean>`${value} between 0 and ${sql.lit(most)}`;
  // SQLite stores fractions and texts in integer columns.
  return postgres ? range : sql<boolean>`(typeof(${value}) in ('integer', 'null') and ${range})`;
}

/** The key of the daily row of a run, from a source of runs. */
export function keysOf(source: string): RawBuilder<unknown>[] {
  const run = (column: string) => sql.ref(`${source}.${column}`);
  const word = (column: string) => sql`coalesce(${run(column)}, '')`;
  return [
    run('tenant'),
    sql`${run('started_at')} / ${dayMs}`,
    word('issuer'),
    run('subject'),
    word('client'),
    word('key_id'),
    run('capability'),
    word('deployment'),
    word('via'),
    word('currency'),
  ];
}

const ownSums = ['runs', 'calls', 'failed', 'aborted', 'estimated', 'unpriced'] as const;

/** `counts`: the columns that are summed unchanged. */
export function sumColumns(counts: readonly string[]): readonly string[] {
  return [...ownSums, ...counts];
}

export function sumsOf(source: string, counts: readonly string[], postgres: boolean): RawBuilder<unknown>[] {
  const run = (column: string) => sql.ref(`${source}.${column}`);
  const when = (condition: RawBuilder<unknown>) => sql`case when ${condition} then 1 else 0 end`;
  const number = (column: string) =>
    sql`case when ${possible(run(column), column === 'cost' ? largestCost : largestCount, postgres)} then ${run(column)} else 0 end`;
  return [
    sql`1`,
    when(sql`${run('parent')} is null`),
    when(sql`${run('outcome')} = 'error'`),
    when(sql`${run('outcome')} = 'aborted'`),
    run('usage_estimated'),
    when(sql`${run('input_tokens')} is not null and ${run('cost')} is null`),
    ...counts.map(number),
  ];
}

const list = (names: readonly string[]) => sql.join(names.map((name) => sql.ref(name)));

/** The sums of all runs in `source`, ordered by key, so that two concurrent nodes lock rows in the same order and cannot deadlock. */
export function insertSums(
  source: string,
  counts: readonly string[],
  postgres: boolean,
  where: RawBuilder<unknown> = sql``,
): RawBuilder<unknown> {
  const totals = sumsOf(source, counts, postgres).map((each) => sql`sum(${each})`);
  return sql`insert into llm_usage_day (${list([...dayKeys, ...sumColumns(counts)])})
    select ${sql.join([...keysOf(source), ...totals])} from ${sql.ref(source)} ${where}
    group by ${sql.join(keysOf(source))} order by ${sql.join(keysOf(source))}`;
}

/** Adds to a row that exists already. */
export function addToDay(counts: readonly string[]): RawBuilder<unknown> {
  const adding = sql.join(
    sumColumns(counts).map((column) => sql`${sql.ref(column)} = llm_usage_day.${sql.ref(column)} + excluded.${sql.ref(column)}`),
  );
  return sql`on conflict (${list(dayKeys)}) do update set ${adding}`;
}

/** Replaces the trigger that adds each inserted run to its daily sums. */
export async function replaceDayTrigger(database: Kysely<unknown>, counts: readonly string[]): Promise<void> {
  const postgres = isPostgres(database);
  const conflict = addToDay(counts);
  if (postgres) {
    await sql`create or replace function llm_run_used() returns trigger language plpgsql as $body$ begin
      ${insertSums('fresh', counts, postgres)} ${conflict};
      return null; end $body$`.execute(database);
    return;
  }
  await sql`drop trigger llm_run_used`.execute(database);
  await sql`create trigger llm_run_used after insert on llm_run begin
    insert into llm_usage_day (${list([...dayKeys, ...sumColumns(counts)])})
    values (${sql.join([...keysOf('new'), ...sumsOf('new', counts, postgres)])}) ${conflict}; end`.execute(database);
}
