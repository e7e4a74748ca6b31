/** An index of the people of one tenant, in order. */
import type { Kysely } from 'kysely';

export async function up(database: Kysely<unknown>): Promise<void> {
  await database.schema.createIndex('llm_person_tenant').on('llm_person').columns(['tenant', 'subject', 'issuer']).execute();
}
