/** Blocked people of each tenant, ids of used logout tokens, and the issuer's id of a browser session. */
import type { Kysely } from 'kysely';

export async function up(database: Kysely<unknown>): Promise<void> {
  await database.schema
    .createTable('llm_blocked_person')
    .addColumn('tenant', 'text', (column) => column.notNull())
    .addColumn('issuer', 'text', (column) => column.notNull())
    .addColumn('subject', 'text', (column) => column.notNull())
    .addColumn('blocked_at', 'bigint', (column) => column.notNull())
    .addColumn('blocked_by', 'text', (column) => column.notNull())
    .addColumn('reason', 'text', (column) => column.notNull())
    .addPrimaryKeyConstraint('llm_blocked_person_key', ['tenant', 'issuer', 'subject'])
    .execute();
  await database.schema
    .createTable('llm_sign_out')
    .addColumn('issuer', 'text', (column) => column.notNull())
    .addColumn('jti', 'text', (column) => column.notNull())
    .addColumn('expires_at', 'bigint', (column) => column.notNull())
    .addPrimaryKeyConstraint('llm_sign_out_key', ['issuer', 'jti'])
    .execute();
  await database.schema.alterTable('llm_session').addColumn('sid', 'text').execute();
}
