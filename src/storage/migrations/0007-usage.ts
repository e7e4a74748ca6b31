/**
 * What was used each day, kept up by the database itself with each run that it takes: exact, because a run that comes twice is inserted once,
 * and quick to report, because there are few rows a day. Old runs can go without their sums.
 */
import { type Kysely, PostgresAdapter, sql } from 'kysely';

const dayMs = sql.lit(86_400_000);

/** Nothing is null, so that rows of the same kind meet. */
const keys = ['tenant', 'day', 'subject', 'client', 'key_id', 'capability', 'deployment', 'via', 'currency'] as const;
const sums = [
  'runs',
  'calls',
  'failed',
  'aborted',
  'estimated',
  'unpriced',
  'input_tokens',
  'output_tokens',
  'cached_input_tokens',
  'reasoning_tokens',
  'cost',
] as const;

/** The day's row of one run, from a source of runs. */
function keysOf(source: string) {
  const run = (column: string) => sql.ref(`${source}.${column}`);
  const word = (column: string) => sql`coalesce(${run(column)}, '')`;
  return [
    run('tenant'),
    sql`${run('started_at')} / ${dayMs}`,
    run('subject'),
    word('client'),
    word('key_id'),
    run('capability'),
    word('deployment'),
    word('via'),
    word('currency'),
  ];
}

function sumsOf(source: string) {
  const run = (column: string) => sql.ref(`${source}.${column}`);
  const when = (condition: ReturnType<typeof sql>) => sql`case when ${condition} then 1 else 0 end`;
  const number = (column: string) => sql`coalesce(${run(column)}, 0)`;
  return [
    sql`1`,
    when(sql`${run('parent')} is null`),
    when(sql`${run('outcome')} = 'error'`),
    when(sql`${run('outcome')} = 'aborted'`),
    run('usage_estimated'),
    when(sql`${run('input_tokens')} is not null and ${run('cost')} is null`),
    number('input_tokens'),
    number('output_tokens'),
    number('cached_input_tokens'),
    number('reasoning_tokens'),
    number('cost'),
  ];
}

const columns = sql.join([...keys, ...sums].map((column) => sql.ref(column)));
const conflict = sql.join(keys.map((column) => sql.ref(column)));
const adding = sql.join(sums.map((column) => sql`${sql.ref(column)} = llm_usage_day.${sql.ref(column)} + excluded.${sql.ref(column)}`));

/** Sums over many runs, in the order of the keys: two nodes that write at once take the rows in the same order, so neither waits for the other in a circle. */
function summed(source: string) {
  return sql`select ${sql.join([...keysOf(source), ...sumsOf(source).map((each) => sql`sum(${each})`)])} from ${sql.ref(source)}
    group by ${sql.join(keysOf(source))} order by ${sql.join(keysOf(source))}`;
}

export async function up(database: Kysely<unknown>): Promise<void> {
  const isPostgres = database.getExecutor().adapter instanceof PostgresAdapter;
  await database.schema.alterTable('llm_run').addColumn('via', 'text').execute();
  let table = database.schema.createTable('llm_usage_day').addColumn('day', 'integer', (column) => column.notNull());
  for (const column of keys) if (column !== 'day') table = table.addColumn(column, 'text', (text) => text.notNull());
  for (const column of sums) table = table.addColumn(column, 'bigint', (number) => number.notNull());
  await table.addPrimaryKeyConstraint('llm_usage_day_key', [...keys] as never).execute();

  await sql`insert into llm_usage_day (${columns}) ${summed('llm_run')}`.execute(database);

  if (isPostgres) {
    await sql`create function llm_run_used() returns trigger language plpgsql as $body$ begin
      insert into llm_usage_day (${columns}) ${summed('fresh')} on conflict (${conflict}) do update set ${adding};
      return null; end $body$`.execute(database);
    await sql`create trigger llm_run_used after insert on llm_run referencing new table as fresh
      for each statement execute function llm_run_used()`.execute(database);
    return;
  }
  await sql`create trigger llm_run_used after insert on llm_run begin
    insert into llm_usage_day (${columns}) values (${sql.join([...keysOf('new'), ...sumsOf('new')])})
    on conflict (${conflict}) do update set ${adding}; end`.execute(database);
}
