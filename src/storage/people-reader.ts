/** Reads the people of a tenant for administrators, as their last tokens described them. */
import { sql } from 'kysely';
import type { PersonId } from '../types/person.ts';
import type { Database } from './database.ts';
import { type Person, personOf } from './people.ts';
import type { PersonTable } from './schema.ts';
import { withStorageErrors } from './storage-errors.ts';

export interface PeopleQuery {
  readonly tenant: string;
  readonly after: PersonId | null;
  readonly limit: number;
  readonly role?: string;
}

/** Each rejects with `storage_unavailable`. */
export interface PeopleReader {
  /** Those of `people` that this tenant has seen. */
  named(tenant: string, people: readonly PersonId[]): Promise<readonly Person[]>;
  /** Ordered by subject and issuer, after `after`. With `role`, only people who have it. */
  page(query: PeopleQuery): Promise<readonly Person[]>;
}

export function createPeopleReader(database: Database): PeopleReader {
  const peopleOf = (work: Promise<PersonTable[]>): Promise<readonly Person[]> =>
    withStorageErrors(database, async () => (await work).map(personOf));
  const ofTenant = (tenant: string) =>
    database.query.selectFrom('llm_person').selectAll().where('tenant', '=', tenant).orderBy('subject').orderBy('issuer');
  return {
    async named(tenant, people) {
      if (people.length === 0) return [];
      return peopleOf(
        ofTenant(tenant)
          .where((is) => is.or(people.map(({ issuer, subject }) => is.and([is('issuer', '=', issuer), is('subject', '=', subject)]))))
          .execute(),
      );
    },
    page({ tenant, after, limit, role }) {
      let query = ofTenant(tenant).limit(limit);
      // The column is a JSON list of texts. Unlike `like`, `replace` distinguishes capital letters on both databases.
      if (role !== undefined) query = query.where(sql<boolean>`replace(roles, ${JSON.stringify(role)}, '') <> roles`);
      if (after !== null) {
        const { subject, issuer } = after;
        query = query.where((is) => is.or([is('subject', '>', subject), is.and([is('subject', '=', subject), is('issuer', '>', issuer)])]));
      }
      return peopleOf(query.execute());
    },
  };
}
