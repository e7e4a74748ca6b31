/**
 * Roll-ups of runs by hour and by day, for time series. Each insert into `llm_run` adds its runs to them in the same transaction. PostgreSQL
 * has a trigger on the statement. SQLite has triggers on single rows only, which cost more than the insert itself. There the writer of a batch
 * inserts into the view `llm_run_batch`. Its trigger adds the runs after that rowid to all sums.
 */
import { type Kysely, type RawBuilder, sql } from 'kysely';
import { dayCounts } from './0022-decimal-amounts.ts';
import { addSpend } from './0032-spend.ts';
import { addToDay, insertSums, isPostgres } from './day-sums.ts';
import { insertRollup, insertSeries, rollupSpans, rollupSums, seriesKey, type RollupSpan } from './rollup-sums.ts';

async function createTables(database: Kysely<unknown>, postgres: boolean): Promise<void> {
  let series = postgres
    ? database.schema.createTable('llm_rollup_series').addColumn('id', 'bigint', (id) => id.primaryKey().generatedAlwaysAsIdentity())
    : database.schema.createTable('llm_rollup_series').addColumn('id', 'integer', (id) => id.primaryKey());
  for (const label of [...seriesKey, 'model', ...(postgres ? ['digest'] : [])])
    series = series.addColumn(label, 'text', (column) => column.notNull());
  await series.addUniqueConstraint('llm_rollup_series_once', (postgres ? ['digest'] : [...seriesKey]) as never).execute();
  await database.schema.createIndex('llm_rollup_series_person').on('llm_rollup_series').columns(['tenant', 'subject']).execute();
  for (const span of Object.keys(rollupSpans)) {
    const name = `llm_rollup_${span}`;
    let table = database.schema.createTable(name).addColumn('tenant', 'text', (column) => column.notNull());
    for (const column of ['start', 'series']) table = table.addColumn(column, 'bigint', (number) => number.notNull());
    // Histograms have many columns with small numbers.
    for (const column of rollupSums)
      table = table.addColumn(column, /_\d+$/.test(column) ? 'integer' : 'bigint', (number) => number.notNull());
    table = table.addPrimaryKeyConstraint(`${name}_key`, ['tenant', 'start', 'series'] as never);
    await (postgres ? table : table.modifyEnd(sql`without rowid`)).execute();
  }
  await database.schema
    .createTable('llm_rollup_rebuild')
    .addColumn('tenant', 'text', (column) => column.primaryKey())
    .addColumn('before', 'bigint', (column) => column.notNull())
    .execute();
  // The runs of older versions, per tenant: everything before the end of its last day is still to be summed.
  await sql`insert into llm_rollup_rebuild (tenant, before)
    select tenant, (cast(max(day) as bigint) + 1) * ${sql.lit(rollupSpans.day)} from llm_usage_day group by tenant`.execute(database);
}

const spans = Object.keys(rollupSpans) as RollupSpan[];
const rollups = (source: RawBuilder<unknown>, postgres: boolean): RawBuilder<unknown> =>
  sql.join([insertSeries(source, postgres), ...spans.map((span) => insertRollup(span, source, postgres))], sql`; `);

async function onPostgres(database: Kysely<unknown>): Promise<void> {
  await sql`create or replace function llm_run_rolled_up() returns trigger language plpgsql as $body$ begin
    ${rollups(sql`fresh run`, true)}; return null; end $body$`.execute(database);
  await sql`create trigger llm_run_rolled_up after insert on llm_run referencing new table as fresh
    for each statement execute function llm_run_rolled_up()`.execute(database);
}

async function onSqlite(database: Kysely<unknown>): Promise<void> {
  await sql`drop trigger llm_run_used`.execute(database);
  await sql`drop trigger llm_run_spent`.execute(database);
  await sql`create view llm_run_batch as select 0 as after_rowid`.execute(database);
  const isNew = sql`llm_run.rowid > new.after_rowid`;
  await sql`create trigger llm_run_batch_added instead of insert on llm_run_batch begin
    ${rollups(sql`llm_run run where run.rowid > new.after_rowid`, false)};
    ${insertSums('llm_run', dayCounts, false, sql`where ${isNew}`)} ${addToDay(dayCounts)};
    ${addSpend('llm_run', sql`and ${isNew}`, false)}; end`.execute(database);
}

export async function up(database: Kysely<unknown>): Promise<void> {
  const postgres = isPostgres(database);
  await database.schema.alterTable('llm_run').addColumn('provider', 'text').execute();
  await createTables(database, postgres);
  await (postgres ? onPostgres(database) : onSqlite(database));
}
