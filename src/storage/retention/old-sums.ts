/** Deletes old sums by hour, and sums by quarter hour that no period of a budget begins in any more. Sums by day are kept for ever. */
import { type RawBuilder, sql } from 'kysely';
import type { Database } from '../database.ts';
import type { PruneTask } from './prune-task.ts';
import { isRolledUp, onOneNode } from './single-node.ts';

interface OldSums {
  readonly table: 'llm_rollup_hour' | 'llm_spend';
  readonly only: RawBuilder<unknown>;
  /** Null keeps all. */
  readonly cutoff: number | null;
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

export function oldSums(database: Database, { table, only, cutoff }: OldSums): PruneTask {
  return {
    async expired() {
      if (cutoff === null) return [];
      let count = 0;
      for (const tenant of await tenantsOf(database, table)) {
        const { rows } = await sql<{ count: number }>`select count(*) as count from ${sql.table(table)}
          where tenant = ${tenant} and ${only} and start < ${cutoff}`.execute(database.query);
        count += Number(rows[0]?.count ?? 0);
      }
      return [{ table, unit: 'rows', count }];
    },
    async step() {
      if (cutoff === null || !(await isRolledUp(database))) return false;
      for (const tenant of await tenantsOf(database, table)) {
        const ofTenant = sql`tenant = ${tenant} and ${only}`;
        const { rows } = await sql<{ start: number }>`select start from ${sql.table(table)} where ${ofTenant} and start < ${cutoff}
          order by start limit 1`.execute(database.query);
        const start = rows[0]?.start;
        if (start === undefined) continue;
        const done = await onOneNode(database, async (transaction) => {
          await sql`delete from ${sql.table(table)} where ${ofTenant} and start = ${start}`.execute(transaction);
          return true;
        });
        return done === true;
      }
      return false;
    },
  };
}
