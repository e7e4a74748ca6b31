/**
 * The failed attempts of each deployment by hour. Each insert of attempts adds to them in the same transaction, whatever the version of the
 * node that inserts. Every failed attempt has a row in the table of attempts. Attempts of before the migration are not counted.
 */
import { type Kysely, type RawBuilder, sql } from 'kysely';
import { isPostgres } from './day-sums.ts';
import { rollupSpans } from './rollup-sums.ts';

const hour = sql.lit(rollupSpans.hour);
const keys = sql.join(['tenant', 'start', 'deployment'].map((name) => sql.ref(name)));

/** Ordered by key, so that two concurrent nodes lock rows in the same order. `attempts` has the aliases `attempt` and `run`. */
function addFailures(attempts: readonly RawBuilder<unknown>[]): RawBuilder<unknown> {
  const each = attempts.map(
    (from) => sql`select run.tenant as tenant, attempt.started_at - attempt.started_at % ${hour} as start,
      substr(attempt.deployment, 1, 500) as deployment ${from} and attempt.outcome = 'error'`,
  );
  return sql`insert into llm_failed_attempt_hour (${keys}, failed) select ${keys}, count(*)
    from (${sql.join(each, sql` union all `)}) each_attempt where true group by ${keys} order by ${keys}
    on conflict (${keys}) do update set failed = llm_failed_attempt_hour.failed + excluded.failed`;
}

async function onPostgres(database: Kysely<unknown>): Promise<void> {
  const failures = addFailures([
    sql`from fresh attempt join llm_run_fact run on run.id = attempt.run_key where attempt.run_key is not null`,
    // Those of nodes before the narrow rows.
    sql`from fresh attempt join llm_run run on run.id = attempt.run_id where attempt.run_key is null`,
  ]);
  await sql`create or replace function llm_attempt_failed() returns trigger language plpgsql as $body$ begin
    if exists (select 1 from fresh where outcome = 'error') then ${failures}; end if; return null; end $body$`.execute(database);
  await sql`create trigger llm_attempt_failed after insert on llm_attempt referencing new table as fresh
    for each statement execute function llm_attempt_failed()`.execute(database);
}

async function onSqlite(database: Kysely<unknown>): Promise<void> {
  const fresh = sql`attempt.rowid > new.after_rowid`;
  // In the order of the statement: a few attempts, and the run of each.
  const failures = addFailures([
    sql`from llm_attempt attempt cross join llm_run_fact run on run.id = attempt.run_key where ${fresh} and attempt.run_key is not null`,
    sql`from llm_attempt attempt cross join llm_run run on run.id = attempt.run_id where ${fresh} and attempt.run_key is null`,
  ]);
  await sql`create trigger llm_attempt_batch_failed instead of insert on llm_attempt_batch
    when exists (select 1 from llm_attempt attempt where ${fresh} and attempt.outcome = 'error') begin
    ${failures}; end`.execute(database);
}

export async function up(database: Kysely<unknown>): Promise<void> {
  const postgres = isPostgres(database);
  const table = database.schema
    .createTable('llm_failed_attempt_hour')
    .addColumn('start', 'bigint', (column) => column.notNull())
    .addColumn('failed', 'bigint', (column) => column.notNull())
    .addColumn('tenant', 'text', (column) => column.notNull())
    .addColumn('deployment', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('llm_failed_attempt_hour_key', ['tenant', 'start', 'deployment']);
  await table.modifyEnd(postgres ? sql`with (fillfactor = 90)` : sql`without rowid`).execute();
  await (postgres ? onPostgres(database) : onSqlite(database));
}
