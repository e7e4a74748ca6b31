/** The failed attempts of deployments by hour, from their sums alone. */
import { sql } from 'kysely';
import type { Database } from './database.ts';
import { withStorageErrors } from './storage-errors.ts';

export interface FailedAttemptsQuery {
  readonly tenant: string;
  /** Epoch milliseconds, full hours; `to` is exclusive. */
  readonly from: number;
  readonly to: number;
  /** The number of deployments with the most failures. */
  readonly top: number;
}

export interface FailedAttempts {
  readonly deployment: string;
  /** In order of time, without hours that have none. */
  readonly points: readonly { readonly start: number; readonly failed: number }[];
}

export interface FailedAttemptsReader {
  /** By name. Rejects with `storage_unavailable`. */
  byHour(query: FailedAttemptsQuery): Promise<readonly FailedAttempts[]>;
}

interface Row {
  readonly deployment: string;
  readonly start: number | string;
  readonly failed: number | string;
}

export function createFailedAttemptsReader(database: Database): FailedAttemptsReader {
  return {
    byHour: ({ tenant, from, to, top }) =>
      withStorageErrors(database, async () => {
        const where = sql`tenant = ${tenant} and start >= ${from} and start < ${to}`;
        const { rows } = await sql<Row>`select deployment, start, failed from llm_failed_attempt_hour where ${where}
          and deployment in (select deployment from llm_failed_attempt_hour where ${where}
            group by deployment order by sum(failed) desc, deployment limit ${top})
          order by deployment, start`.execute(database.query);
        return [...Map.groupBy(rows, ({ deployment }) => deployment)].map(([deployment, hours]) => ({
          deployment,
          points: hours.map(({ start, failed }) => ({ start: Number(start), failed: Number(failed) })),
        }));
      }),
  };
}
