/**
 * Runs in narrow rows (decision 61). `llm_run` stays for the rows of older versions and for older nodes beside this one. Sums and attempts are
 * those of both: the same statements add to them.
 */
import { type CreateTableBuilder, type Kysely, type RawBuilder, sql } from 'kysely';
import { dayCounts } from './0022-decimal-amounts.ts';
import { addSpendOf, spendSpans } from './0032-spend.ts';
import { addAttempts, attemptsApart, singleAttempts } from './0060-attempt-days.ts';
import { addBatch } from './0067-sums-in-one-pass.ts';
import { addToDay, insertSums, isPostgres } from './day-sums.ts';
import { addMonth, monthStart } from './month-partitions.ts';
import { insertRollup, insertSeries, rollupSpans, type RollupSpan } from './rollup-sums.ts';
import {
  dimensionNames,
  dimensionNeeds,
  dimensionNumbers,
  runColumns,
  runDimensions,
  runNumbers,
  runOffsets,
  wideRuns,
} from './run-facts.ts';

/** Of a ledger of ten million runs, as in migration 0055. */
const statistics: Readonly<Record<string, string>> = {
  llm_run_fact_key: '10000000 1',
  llm_run_fact_page: '10000000 10000000 2',
  llm_run_fact_person: '10000000 10000 2',
  llm_run_fact_target: '10000000 200000 2',
  llm_run_fact_request: '10000000 2',
  llm_run_fact_api_key: '10000000 10000 2',
  llm_run_fact_failed: '100000 100000 2',
  llm_run_fact_parent: '5000000 3',
  llm_run_fact_root: '5000000 4',
};

async function createDimensions(database: Kysely<unknown>, postgres: boolean): Promise<void> {
  for (const name of dimensionNames) {
    let table: CreateTableBuilder<string, string> = postgres
      ? database.schema.createTable(`llm_run_${name}`).addColumn('id', 'integer', (id) => id.primaryKey().generatedAlwaysAsIdentity())
      : database.schema.createTable(`llm_run_${name}`).addColumn('id', 'integer', (id) => id.primaryKey());
    table = table.addColumn('digest', 'text', (column) => column.notNull().unique());
    for (const column of runDimensions[name])
      table = table.addColumn(column, dimensionNumbers.includes(column) ? 'integer' : 'text', (each) =>
        dimensionNeeds.includes(column) ? each.notNull() : each,
      );
    await table.execute();
  }
}

/** Numbers of eight bytes first, then those of four, so that PostgreSQL fills no gaps between them. */
async function createFacts(database: Kysely<unknown>, postgres: boolean): Promise<void> {
  const bytes = postgres ? 'bytea' : 'blob';
  let table = database.schema.createTable('llm_run_fact').addColumn('started_at', 'bigint', (column) => column.notNull());
  for (const column of Object.values(runOffsets))
    table = table.addColumn(column, 'bigint', (each) => (column === 'ended_ms' ? each.notNull() : each));
  for (const column of [...runNumbers, 'revision'] as const) table = table.addColumn(column, 'bigint');
  for (const name of dimensionNames) table = table.addColumn(name, 'integer', (column) => (name === 'api_key' ? column : column.notNull()));
  // 1 for a run that is not complete, else null.
  table = table.addColumn('failed', postgres ? 'smallint' : 'integer').addColumn('tenant', 'text', (column) => column.notNull());
  table = table.addColumn('id', bytes, (column) => column.notNull()).addColumn('request_id', bytes, (column) => column.notNull());
  table = table.addColumn('parent', bytes).addColumn('root', bytes).addColumn('on_behalf_of', 'text');
  await (postgres ? table.modifyEnd(sql`partition by range (started_at)`) : table).execute();
  if (!postgres) await sql`create unique index llm_run_fact_key on llm_run_fact (id)`.execute(database);
  for (const [name, columns, where] of [
    ['page', sql`tenant, started_at`, sql``],
    ['person', sql`person, started_at`, sql``],
    ['target', sql`target, started_at`, sql``],
    ['request', sql`request_id`, sql``],
    ['api_key', sql`api_key, started_at`, sql`where api_key is not null`],
    ['failed', sql`tenant, started_at`, sql`where failed = 1`],
    ['parent', sql`parent`, sql`where parent is not null`],
    ['root', sql`root`, sql`where root is not null`],
  ] as const)
    await sql`create index ${sql.ref(`llm_run_fact_${name}`)} on llm_run_fact (${columns}) ${where}`.execute(database);
}

/** A month whose partition exists has no row in that of the rest. */
async function createPartitions(database: Kysely<unknown>): Promise<void> {
  await sql`create table llm_run_fact_rest partition of llm_run_fact default`.execute(database);
  await sql`alter table llm_run_fact_rest add primary key (id)`.execute(database);
  for (const months of [0, 1, 2]) await addMonth(database, 'llm_run_fact', monthStart(Date.now(), months));
}

async function createViews(database: Kysely<unknown>, postgres: boolean): Promise<void> {
  const own = sql.join(
    [...dimensionNames, 'failed'].map((name) => sql`, ${sql.ref(`fact.${name}`)}`),
    sql` `,
  );
  const ids = sql`, fact.id as packed_id, fact.parent as packed_parent, fact.root as packed_root, fact.request_id as packed_request_id`;
  const rowid = postgres ? sql`` : sql`, fact.rowid as fact_rowid`;
  await sql`create view llm_run_row as ${wideRuns('llm_run_fact', postgres, sql`${own} ${ids} ${rowid}`)}`.execute(database);
  const columns = sql.join(runColumns.map((column) => sql.ref(column)));
  await sql`create view llm_run_all as select ${columns} from llm_run_row union all select ${columns} from llm_run`.execute(database);
}

async function onPostgres(database: Kysely<unknown>): Promise<void> {
  const run = sql`with run as materialized (${wideRuns('fresh', true)})`;
  // One statement, so that the dimensions are joined once. It does not see series that it would insert itself.
  const statements = [
    ...(Object.keys(rollupSpans) as RollupSpan[]).map((span) => insertRollup(span, sql`run`, true, { once: true })),
    sql`${insertSums('run', dayCounts, true)} ${addToDay(dayCounts)}`,
    ...spendSpans.map((span) => addSpendOf('run', span, sql``, true)),
  ];
  const trigger = async (name: string, table: string, body: RawBuilder<unknown>): Promise<void> => {
    await sql`create or replace function ${sql.ref(name)}() returns trigger language plpgsql as $body$ begin
      ${body}; return null; end $body$`.execute(database);
    await sql`create trigger ${sql.ref(name)} after insert on ${sql.table(table)} referencing new table as fresh
      for each statement execute function ${sql.ref(name)}()`.execute(database);
  };
  const parts = statements.map((statement, index) => sql`, ${sql.ref(`sum_${index}`)} as (${statement})`);
  await trigger(
    'llm_run_fact_summed',
    'llm_run_fact',
    sql`${run} ${insertSeries(sql`run`, true)}; ${run} ${sql.join(parts, sql` `)}
    ${addAttempts(singleAttempts(sql`from run where run.attempt_started_at is not null`), true)}`,
  );
  const attempts = attemptsApart(sql`from fresh attempt join llm_run_row run on run.packed_id = attempt.run_key`);
  await trigger('llm_attempt_of_fact', 'llm_attempt', addAttempts(attempts, true));
}

async function onSqlite(database: Kysely<unknown>): Promise<void> {
  await sql`create view llm_run_fact_batch as select 0 as after_rowid`.execute(database);
  await sql`create trigger llm_run_fact_batch_added instead of insert on llm_run_fact_batch begin
    ${addBatch(sql`llm_run_row run where run.fact_rowid > new.after_rowid`)}; end`.execute(database);
  const attempts = attemptsApart(sql`from llm_attempt attempt cross join llm_run_row run
    where attempt.rowid > new.after_rowid and run.packed_id = attempt.run_key`);
  await sql`create trigger llm_attempt_batch_of_facts instead of insert on llm_attempt_batch begin
    ${addAttempts(attempts, false)}; end`.execute(database);
  for (const [index, stat] of Object.entries(statistics))
    await sql`insert into sqlite_stat1 (tbl, idx, stat) values ('llm_run_fact', ${index}, ${stat})`.execute(database);
  await sql`analyze sqlite_schema`.execute(database);
}

export async function up(database: Kysely<unknown>): Promise<void> {
  const postgres = isPostgres(database);
  await createDimensions(database, postgres);
  await createFacts(database, postgres);
  if (postgres) await createPartitions(database);
  await createViews(database, postgres);
  // The id of the run as in `llm_run_fact`; null for attempts of a run in `llm_run`.
  await database.schema
    .alterTable('llm_attempt')
    .addColumn('run_key', postgres ? 'bytea' : sql`blob`)
    .execute();
  await (postgres ? onPostgres(database) : onSqlite(database));
}
