/** Deletes old sums by hour, and sums by quarter hour of days in which no current period of a budget begins. Sums by day are kept for ever. */
import { type RawBuilder, sql } from 'kysely';
import type { Database } from '../database.ts';
import { firstRows, type Rows } from './first-rows.ts';
import type { PruneTask } from './prune-task.ts';
import { rolledUp } from './single-node.ts';
import { tenantsOf } from './tenants.ts';

/** Epoch milliseconds; `to` is exclusive. */
export interface TimeRange {
  readonly from: number;
  readonly to: number;
}

interface OldSums {
  readonly table: keyof typeof keys;
  readonly only: RawBuilder<unknown>;
  /** The times whose sums are deleted. */
  readonly old: readonly TimeRange[];
}

/** The keys of the tables on SQLite, after the tenant. */
const keys = {
  llm_rollup_hour: ['start', 'series'],
  llm_rollup_hour_adjustment: ['start', 'series'],
  llm_team_rollup_hour: ['start', 'team', 'series'],
  llm_failed_attempt_hour: ['start', 'deployment'],
  llm_spend: ['span', 'start', 'issuer', 'subject', 'client', 'key_id', 'roles', 'model', 'currency'],
} as const;

export function oldSums(database: Database, { table, only, old }: OldSums): PruneTask {
  async function* ranges(): AsyncGenerator<Rows> {
    if (old.length === 0) return;
    for await (const tenant of tenantsOf(database, table))
      for (const range of old)
        yield { table, key: ['tenant', ...keys[table]], by: 'start', where: sql`tenant = ${tenant} and ${only}`, ...range };
  }
  const next = firstRows(database, ranges);
  const isReady = rolledUp(database);
  return {
    async expired() {
      let count = 0;
      for await (const { where, from, to } of ranges()) {
        const { rows } = await sql<{ count: number }>`select count(*) as count from ${sql.table(table)}
          where ${where} and start >= ${from} and start < ${to}`.execute(database.query);
        count += Number(rows[0]?.count ?? 0);
      }
      return old.length === 0 ? [] : [{ table, unit: 'rows', count }];
    },
    step: async () => old.length > 0 && (await isReady()) && next(),
  };
}
