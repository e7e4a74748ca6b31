/** Monthly partitions of runs and attempts on PostgreSQL. SQLite has none: its rows are deleted in steps. */
import { type Kysely, sql } from 'kysely';
import { isPostgres } from './day-sums.ts';
import { partitionByMonth } from './month-partitions.ts';

export async function up(database: Kysely<unknown>): Promise<void> {
  if (!isPostgres(database)) return;
  // The rows of a large ledger are read once, to check the bounds of their partition.
  await sql`set local statement_timeout = 0`.execute(database);
  for (const table of ['llm_run', 'llm_attempt'] as const) await partitionByMonth(database, table, Date.now());
}
