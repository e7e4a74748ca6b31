/** Costs at a developer's own provider, which no budget counts. */
import type { Kysely } from 'kysely';

export async function up(database: Kysely<unknown>): Promise<void> {
  await database.schema.alterTable('llm_run').addColumn('unbudgeted', 'integer').execute();
}
