/** Indexes for lists whose filters would read a whole tenant: the history of the configuration, and acts of the audit. */
import type { Kysely } from 'kysely';

export async function up(database: Kysely<unknown>): Promise<void> {
  await database.schema
    .createIndex('llm_config_history_tenant')
    .on('llm_config_history')
    .columns(['tenant', 'revision', 'sequence'])
    .execute();
  await database.schema.createIndex('llm_audit_act').on('llm_audit').columns(['tenant', 'act', 'id']).execute();
}
