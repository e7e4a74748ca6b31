/**
 * Leaves half of each page of the sums free on PostgreSQL. Each batch updates rows of the sums. With room in its page a new version lies beside
 * the old one, and no index changes. The next update uses the space again without a vacuum.
 */
import { type Kysely, sql } from 'kysely';
import { isPostgres } from './day-sums.ts';

const tables = ['llm_usage_day', 'llm_spend', 'llm_rollup_hour', 'llm_rollup_day', 'llm_attempt_day'] as const;

export async function up(database: Kysely<unknown>): Promise<void> {
  if (!isPostgres(database)) return;
  for (const table of tables) await sql`alter table ${sql.table(table)} set (fillfactor = 50)`.execute(database);
}
