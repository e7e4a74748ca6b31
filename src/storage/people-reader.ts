/** Who is known of a tenant, for administrators: what the tokens said that people came with. */
import type { PersonId } from '../types/person.ts';
import type { Database } from './database.ts';
import { type Person, personOf } from './people.ts';
import type { PersonTable } from './schema.ts';

/** Each rejects with `storage_unavailable`. */
export interface PeopleReader {
  /** Those of them who have been here; those of other tenants are not there. */
  named(tenant: string, people: readonly PersonId[]): Promise<readonly Person[]>;
  /** Ordered by subject and issuer, after `after`. */
  page(query: { readonly tenant: string; readonly after: PersonId | null; readonly limit: number }): Promise<readonly Person[]>;
}

export function createPeopleReader(database: Database): PeopleReader {
  const peopleOf = async (work: Promise<PersonTable[]>): Promise<readonly Person[]> => {
    try {
      return (await work).map(personOf);
    } catch (thrown) {
      throw database.explain(thrown);
    }
  };
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
    page({ tenant, after, limit }) {
      let query = ofTenant(tenant).limit(limit);
      if (after !== null) {
        const { subject, issuer } = after;
        query = query.where((is) => is.or([is('subject', '>', subject), is.and([is('subject', '=', subject), is('issuer', '>', issuer)])]));
      }
      return peopleOf(query.execute());
    },
  };
}
