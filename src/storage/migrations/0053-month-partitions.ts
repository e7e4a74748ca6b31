/** Monthly partitions of runs and attempts on PostgreSQL. SQLite has none: its rows are deleted in steps. */
import { type Kysely, sql } from 'kysely';
import { isPostgres } from './day-sums.ts';
import { type PartitionedTable, partitionByMonth, partitionedTables } from './month-partitions.ts';

export async function up(database: Kysely<unknown>): Promise<void> {
  if (!isPostgres(database)) return;
  // The rows of a large ledger are read once, to check the bounds of their partition.
  await sql`set local statement_timeout = 0`.execute(database);
  for (const table of Object.keys(partitionedTables)) await partitionByMonth(database, table as PartitionedTable, Date.now());
}
