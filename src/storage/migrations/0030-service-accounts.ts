/** Marks service accounts among the people: they have no person to look up. Rows of older versions are marked by the next token. */
import type { Kysely } from 'kysely';

export async function up(database: Kysely<unknown>): Promise<void> {
  await database.schema
    .alterTable('llm_person')
    .addColumn('is_service', 'integer', (column) => column.notNull().defaultTo(0))
    .execute();
}
