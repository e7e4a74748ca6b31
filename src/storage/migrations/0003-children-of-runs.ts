/** The children of a run are found by an index that only they are in; the one by root, which nothing read, goes. */
import type { Kysely } from 'kysely';

export async function up(database: Kysely<unknown>): Promise<void> {
  await database.schema.createIndex('llm_run_parent').on('llm_run').column('parent').where('parent', 'is not', null).execute();
  await database.schema.dropIndex('llm_run_root').execute();
}
