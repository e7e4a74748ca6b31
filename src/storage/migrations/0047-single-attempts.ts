/** The only attempt of a run in the row of the run, so that most calls are one row instead of two. */
import type { Kysely } from 'kysely';

export async function up(database: Kysely<unknown>): Promise<void> {
  const add = (column: string, type: 'text' | 'bigint'): Promise<void> =>
    database.schema.alterTable('llm_run').addColumn(column, type).execute();
  await add('attempt_upstream_model', 'text');
  await add('attempt_status', 'bigint');
  await add('attempt_started_at', 'bigint');
  await add('attempt_first_token_at', 'bigint');
  await add('attempt_ended_at', 'bigint');
}
