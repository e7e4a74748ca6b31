/** A look-up in the service's own database: a person's roles and codes, by the operator's queries. */
import { openExternalDatabase } from '../../storage/external/open-external.ts';
import type { Logger } from '../../types/logger.ts';
import type { Claims } from '../claims.ts';
import type { SqlLookup } from '../issuer.ts';
import type { LookupInput } from './lookup-input.ts';
import { authUnavailable } from './http-lookup.ts';

/** The maximum number of roles or codes. A query without its condition would return those of all people. */
const mostRows = 5_000;

interface Query {
  readonly text: string;
  readonly values: (input: LookupInput) => (string | null)[];
}

/** Replaces `:subject` and `:username` by bound parameters, never by text. `::text` is a cast. `mark` formats the parameter at a position. */
export function withParameters(query: string, mark: (place: number) => string): Query {
  const names: ('subject' | 'username')[] = [];
  const text = query.replace(/(?<!:):(subject|username)\b/g, (_all, name: 'subject' | 'username') => mark(names.push(name)));
  return { text, values: (input) => names.map((name) => input[name]) };
}

export interface SqlQuestion {
  /** By field, the first column of each row. Rejects with auth_unavailable. */
  ask(input: LookupInput): Promise<Claims>;
  close(): Promise<void>;
}

export function createSqlLookup({ url, queries }: SqlLookup, logger: Logger): SqlQuestion {
  const database = openExternalDatabase(url, logger);
  const prepared = Object.entries(queries).map(([field, query]) => ({ field, ...withParameters(query, database.mark) }));
  return {
    async ask(input) {
      try {
        const claims: Record<string, unknown> = {};
        for (const { field, text, values } of prepared) {
          const rows = await database.rows(text, values(input), mostRows);
          claims[field] = rows.map(([first]) => first).filter((first) => first !== null);
        }
        return claims;
      } catch (thrown) {
        logger.warn({ err: thrown }, 'the query in the database of the identity service failed; the call is refused');
        throw authUnavailable(thrown);
      }
    },
    close: () => database.close(),
  };
}
