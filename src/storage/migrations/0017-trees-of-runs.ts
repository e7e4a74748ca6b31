/** The issuer of a run's owner, and an index of the runs of one tree that contains only child runs. */
import type { Kysely } from 'kysely';

export async function up(database: Kysely<unknown>): Promise<void> {
  await database.schema.alterTable('llm_run').addColumn('issuer', 'text').execute();
  await database.schema.createIndex('llm_run_tree').on('llm_run').columns(['root', 'parent']).where('parent', 'is not', null).execute();
}
