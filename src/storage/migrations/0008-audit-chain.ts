/** The audit as a hash chain. Earlier entries are sealed at the first start. */
import { type Kysely, sql } from 'kysely';

export async function up(database: Kysely<unknown>): Promise<void> {
  await database.schema.alterTable('llm_audit').addColumn('sequence', 'bigint').execute();
  await database.schema.alterTable('llm_audit').addColumn('hash', 'text').execute();
  await database.schema.createIndex('llm_audit_sequence').unique().on('llm_audit').column('sequence').execute();
  await sql`create index llm_audit_unsealed on llm_audit (id) where sequence is null`.execute(database);
  await database.schema
    .createTable('llm_audit_head')
    .addColumn('id', 'integer', (column) => column.primaryKey())
    .addColumn('sequence', 'bigint', (column) => column.notNull())
    .addColumn('hash', 'text', (column) => column.notNull())
    .execute();
  await (database as Kysely<{ llm_audit_head: { id: number; sequence: number; hash: string } }>)
    .insertInto('llm_audit_head')
    .values({ id: 1, sequence: 0, hash: '' })
    .execute();
}
