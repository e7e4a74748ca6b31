/** The index by which the runs of a team are listed: a team is a set of callers, and the index has the latest runs of each. */
import { type Kysely, sql } from 'kysely';
import { isPostgres } from './day-sums.ts';

export async function up(database: Kysely<unknown>): Promise<void> {
  await sql`create index llm_run_fact_caller on llm_run_fact (caller, started_at)`.execute(database);
  if (isPostgres(database)) return;
  // Of a ledger of ten million runs, as in migration 0055.
  await sql`insert into sqlite_stat1 (tbl, idx, stat) values ('llm_run_fact', 'llm_run_fact_caller', '10000000 10000 2')`.execute(database);
  await sql`analyze sqlite_schema`.execute(database);
}
