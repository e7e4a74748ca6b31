/** The users, roles and clients that a tenant has seen, from people's tokens and from daily sums. */
import { sql } from 'kysely';
import type { PersonId } from '../types/person.ts';
import type { Database } from './database.ts';
import { withStorageErrors } from './storage-errors.ts';

export interface SeenSubjects {
  hasUser(tenant: string, person: PersonId): Promise<boolean>;
  hasRole(tenant: string, role: string): Promise<boolean>;
  hasClient(tenant: string, client: string): Promise<boolean>;
}

export function createSeenSubjects(database: Database): SeenSubjects {
  const { query } = database;
  const guarded = (work: Promise<unknown>): Promise<boolean> => withStorageErrors(database, async () => (await work) !== undefined);
  return {
    hasUser: (tenant, { issuer, subject }) =>
      guarded(
        query
          .selectFrom('llm_person')
          .select('subject')
          .where('tenant', '=', tenant)
          .where('subject', '=', subject)
          .where('issuer', '=', issuer)
          .limit(1)
          .executeTakeFirst(),
      ),
    hasRole: (tenant, role) =>
      guarded(
        query
          .selectFrom('llm_person')
          .select('subject')
          .where('tenant', '=', tenant)
          // The column is a JSON list of texts. `\` escapes the wildcards of `like`.
          .where(sql<boolean>`roles like ${`%${JSON.stringify(role).replaceAll(/[\\%_]/g, String.raw`\$&`)}%`} escape '\\'`)
          .limit(1)
          .executeTakeFirst(),
      ),
    hasClient: (tenant, client) =>
      guarded(
        query
          .selectFrom('llm_usage_day')
          .select('client')
          .where('tenant', '=', tenant)
          .where('client', '=', client)
          .limit(1)
          .executeTakeFirst(),
      ),
  };
}
