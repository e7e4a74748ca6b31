/** Indexes of the audit by actor, target and request. */
import type { Kysely } from 'kysely';

export async function up(database: Kysely<unknown>): Promise<void> {
  for (const column of ['actor', 'target', 'request_id']) {
    await database.schema.createIndex(`llm_audit_${column}`).on('llm_audit').columns(['tenant', column, 'id']).execute();
  }
}
