/** Deletes old sums by hour, and sums by quarter hour of days in which no current period of a budget begins. Sums by day are kept for ever. */
import { type RawBuilder, sql } from 'kysely';
import type { Database } from '../database.ts';
import type { PruneTask } from './prune-task.ts';
import { isRolledUp, onOneNode } from './single-node.ts';

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

/** Rows in one step, however many people call within an hour. */
const rowsAtOnce = 200;
/** The keys of the tables on SQLite, after the tenant. PostgreSQL names rows by their place. */
const keys = {
  llm_rollup_hour: ['start', 'series'],
  llm_rollup_hour_adjustment: ['start', 'series'],
  llm_team_rollup_hour: ['start', 'team', 'series'],
  llm_spend: ['span', 'start', 'issuer', 'subject', 'client', 'key_id', 'roles', 'model', 'currency'],
} as const;

/** Deletes the first rows of `where`. */
function deleteFirst(database: Database, table: OldSums['table'], where: RawBuilder<unknown>): RawBuilder<unknown> {
  const from = sql.table(table);
  if (database.kind === 'postgres')
    return sql`delete from ${from} where ctid = any (array (select ctid from ${from} where ${where} limit ${sql.lit(rowsAtOnce)}))`;
  const key = sql.join(['tenant', ...keys[table]].map((column) => sql.ref(column)));
  return sql`delete from ${from} where (${key}) in (select ${key} from ${from} where ${where} limit ${sql.lit(rowsAtOnce)})`;
}

/** The tenants of a table whose key begins with the tenant, each found by one look into the key. */
async function tenantsOf(database: Database, table: string): Promise<readonly string[]> {
  const tenants: string[] = [];
  for (let after = ''; ;) {
    const { rows } = await sql<{ tenant: string }>`select tenant from ${sql.table(table)} where tenant > ${after}
      order by tenant limit 1`.execute(database.query);
    const tenant = rows[0]?.tenant;
    if (tenant === undefined) return tenants;
    tenants.push(tenant);
    after = tenant;
  }
}

export function oldSums(database: Database, { table, only, old }: OldSums): PruneTask {
  return {
    async expired() {
      let count = 0;
      for (const tenant of await tenantsOf(database, table))
        for (const { from, to } of old) {
          const { rows } = await sql<{ count: number }>`select count(*) as count from ${sql.table(table)}
            where tenant = ${tenant} and ${only} and start >= ${from} and start < ${to}`.execute(database.query);
          count += Number(rows[0]?.count ?? 0);
        }
      return old.length === 0 ? [] : [{ table, unit: 'rows', count }];
    },
    async step() {
      if (old.length === 0 || !(await isRolledUp(database))) return false;
      for (const [tenant, { from, to }] of (await tenantsOf(database, table)).flatMap((each) =>
        old.map((range) => [each, range] as const),
      )) {
        const ofTenant = sql`tenant = ${tenant} and ${only}`;
        const { rows } = await sql<{ start: number }>`select start from ${sql.table(table)}
          where ${ofTenant} and start >= ${from} and start < ${to} order by start limit 1`.execute(database.query);
        const start = rows[0]?.start;
        if (start === undefined) continue;
        const done = await onOneNode(database, async (transaction) => {
          await deleteFirst(database, table, sql`${ofTenant} and start = ${start}`).execute(transaction);
          return true;
        });
        return done === true;
      }
      return false;
    },
  };
}
