/** Names the migrations that older programs cannot live with. A migration that is not named here only adds to the tables. */
import type { Kysely } from 'kysely';

export async function up(database: Kysely<unknown>): Promise<void> {
  await database.schema
    .createTable('llm_breaking_migration')
    .addColumn('name', 'varchar(100)', (column) => column.primaryKey())
    .execute();
}
