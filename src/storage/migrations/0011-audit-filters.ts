/** Ways into the audit: by who, by what, and by the request. */
import type { Kysely } from 'kysely';

export async function up(database: Kysely<unknown>): Promise<void> {
  for (const column of ['actor', 'target', 'request_id']) {
    await database.schema.createIndex(`llm_audit_${column}`).on('llm_audit').columns(['tenant', column, 'id']).execute();
  }
}
