/** The statements and the trigger that maintain daily sums of runs. */
import { type Kysely, PostgresAdapter, sql } from 'kysely';

const dayMs = sql.lit(86_400_000);

export const usageSums = [
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

/** The expression of a key column: the day of the run's start, and empty text instead of null, so that runs of the same kind share a row. */
function keyOf(source: string, column: string) {
  if (column === 'day') return sql`${sql.ref(`${source}.started_at`)} / ${dayMs}`;
  if (column === 'tenant' || column === 'subject' || column === 'capability') return sql.ref(`${source}.${column}`);
  return sql`coalesce(${sql.ref(`${source}.${column}`)}, '')`;
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

/** The statements for a table `llm_usage_day` whose primary key is `keys`. */
export function usageDays(keys: readonly string[]) {
  const columns = sql.join([...keys, ...usageSums].map((column) => sql.ref(column)));
  const conflict = sql.join(keys.map((column) => sql.ref(column)));
  const adding = sql.join(
    usageSums.map((column) => sql`${sql.ref(column)} = llm_usage_day.${sql.ref(column)} + excluded.${sql.ref(column)}`),
  );
  const keysOf = (source: string) => keys.map((column) => keyOf(source, column));
  /** Sums over many runs, ordered by key, so that two concurrent nodes lock rows in the same order and cannot deadlock. */
  const summed = (source: string) => sql`select ${sql.join([...keysOf(source), ...sumsOf(source).map((each) => sql`sum(${each})`)])}
    from ${sql.ref(source)} group by ${sql.join(keysOf(source))} order by ${sql.join(keysOf(source))}`;

  return {
    columns,
    async createTable(database: Kysely<unknown>, constraint: string): Promise<void> {
      let table = database.schema.createTable('llm_usage_day').addColumn('day', 'integer', (column) => column.notNull());
      for (const column of keys) if (column !== 'day') table = table.addColumn(column, 'text', (text) => text.notNull());
      for (const column of usageSums) table = table.addColumn(column, 'bigint', (number) => number.notNull());
      await table.addPrimaryKeyConstraint(constraint, [...keys] as never).execute();
    },
    async fill(database: Kysely<unknown>): Promise<void> {
      await sql`insert into llm_usage_day (${columns}) ${summed('llm_run')}`.execute(database);
    },
    /** A trigger of the same name must not exist. */
    async createTrigger(database: Kysely<unknown>): Promise<void> {
      if (isPostgres(database)) {
        await sql`create or replace function llm_run_used() returns trigger language plpgsql as $body$ begin
          insert into llm_usage_day (${columns}) ${summed('fresh')} on conflict (${conflict}) do update set ${adding};
          return null; end $body$`.execute(database);
        await sql`create trigger llm_run_used after insert on llm_run referencing new table as fresh
          for each statement execute function llm_run_used()`.execute(database);
        return;
      }
      await sql`create trigger llm_run_used after insert on llm_run begin
        insert into llm_usage_day (${columns}) values (${sql.join([...keysOf('new'), ...sumsOf('new')])})
        on conflict (${conflict}) do update set ${adding}; end`.execute(database);
    },
  };
}

export function isPostgres(database: Kysely<unknown>): boolean {
  return database.getExecutor().adapter instanceof PostgresAdapter;
}
