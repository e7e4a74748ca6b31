/** A look-up in the service's own database: what a person is and may, by queries that the operator wrote. */
import { openExternalDatabase } from '../../storage/external/open-external.ts';
import type { Logger } from '../../types/logger.ts';
import type { Claims } from '../claims.ts';
import type { SqlLookup } from '../issuer.ts';
import type { LookupInput } from './lookup-input.ts';
import { authUnavailable } from './http-lookup.ts';

/** Nobody has more roles and rights than that; a query that forgets its condition would bring everybody's. */
const mostRows = 5_000;

interface Query {
  readonly text: string;
  readonly values: (asked: LookupInput) => (string | null)[];
}

/** `:subject` and `:username` become values of the statement, never a part of its text. `::text` is a cast. `mark`: how the database writes one. */
export function withParameters(query: string, mark: (place: number) => string): Query {
  const names: ('subject' | 'username')[] = [];
  const text = query.replace(/(?<!:):(subject|username)\b/g, (_all, name: 'subject' | 'username') => mark(names.push(name)));
  return { text, values: (asked) => names.map((name) => asked[name]) };
}

export interface SqlQuestion {
  /** By field, the first column of each row. Rejects with auth_unavailable. */
  ask(asked: LookupInput): Promise<Claims>;
  close(): Promise<void>;
}

export function createSqlLookup({ url, queries }: SqlLookup, logger: Logger): SqlQuestion {
  const database = openExternalDatabase(url, logger);
  const prepared = Object.entries(queries).map(([field, query]) => ({ field, ...withParameters(query, database.mark) }));
  return {
    async ask(asked) {
      try {
        const claims: Record<string, unknown> = {};
        for (const { field, text, values } of prepared) {
          const rows = await database.rows(text, values(asked), mostRows);
          claims[field] = rows.map(([first]) => first).filter((first) => first !== null);
        }
        return claims;
      } catch (thrown) {
        logger.warn({ err: thrown }, 'the database of the identity service cannot be asked about a person; the call is refused');
        throw authUnavailable(thrown);
      }
    },
    close: () => database.close(),
  };
}
