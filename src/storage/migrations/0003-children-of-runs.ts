/** An index that contains only child runs. Removes the unused index by root. */
import type { Kysely } from 'kysely';

export async function up(database: Kysely<unknown>): Promise<void> {
  await database.schema.createIndex('llm_run_parent').on('llm_run').column('parent').where('parent', 'is not', null).execute();
  await database.schema.dropIndex('llm_run_root').execute();
}
