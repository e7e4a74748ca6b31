/** Indexes for the filters of the list of runs, and what SQLite's planner has to know to choose among them. */
import { type Kysely, sql } from 'kysely';
import { isPostgres } from './day-sums.ts';

/**
 * The statistics of a ledger of ten million runs: rows of the index, then rows for each value of its first columns. Without them SQLite takes
 * an index that only spares the sorting, and reads every run of the tenant. `ANALYZE` may replace them at any time.
 */
const statistics: Readonly<Record<string, string>> = {
  sqlite_autoindex_llm_run_1: '10000000 1',
  llm_run_page: '10000000 10000000 2 1',
  llm_run_subject: '10000000 10000000 10000 2 1',
  llm_run_capability: '10000000 10000000 200000 2',
  llm_run_request: '10000000 2',
  llm_run_key: '10000000 10000000 10000 2',
  llm_run_failed: '100000 100000 2 1',
  llm_run_root: '10000000 2',
  llm_run_parent: '5000000 3',
  llm_run_tree: '5000000 4 3',
};

export async function up(database: Kysely<unknown>): Promise<void> {
  const { schema } = database;
  await schema.createIndex('llm_run_request').on('llm_run').column('request_id').execute();
  await schema.createIndex('llm_run_capability').on('llm_run').columns(['tenant', 'capability', 'started_at']).execute();
  await sql`create index llm_run_key on llm_run (tenant, key_id, started_at) where key_id is not null`.execute(database);
  await sql`create index llm_run_failed on llm_run (tenant, started_at, id) where outcome <> 'complete'`.execute(database);
  if (isPostgres(database)) return;
  // Creates the table of statistics; the lock of the migrations is one row.
  await sql`analyze llm_migration_lock`.execute(database);
  await sql`delete from sqlite_stat1 where tbl = 'llm_run'`.execute(database);
  for (const [index, stat] of Object.entries(statistics))
    await sql`insert into sqlite_stat1 (tbl, idx, stat) values ('llm_run', ${index}, ${stat})`.execute(database);
  // Reads them into this connection.
  await sql`analyze sqlite_schema`.execute(database);
}
