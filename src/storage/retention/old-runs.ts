/** Deletes old runs with their attempts row by row: on SQLite all, on PostgreSQL those of the partitions without a month. */
import { sql } from 'kysely';
import type { Database } from '../database.ts';
import { firstPartition, restPartition } from '../migrations/month-partitions.ts';
import { unpackedId } from '../packed-ids.ts';
import { BatchSize } from './batch-size.ts';
import { dayMs, type PruneTask } from './prune-task.ts';
import { isRolledUp, onOneNode, tenantsWithRuns } from './single-node.ts';

const gb = 1_000_000_000;
/** Runs in one step: the ids of more would hold the event loop for over 5 ms. */
const mostRows = 100;
/** Narrow rows, and those of older versions (decision 61). */
const sources = ['llm_run_fact', 'llm_run'] as const;
type Source = (typeof sources)[number];

interface Part {
  readonly source: Source;
  readonly table: string;
}

interface OldestRun {
  readonly id: string | Uint8Array;
}

/** The bytes in use in a SQLite file. */
export async function usedBytes(database: Database): Promise<{ used: number; free: number }> {
  const { rows } = await sql<{
    pages: number;
    free: number;
    size: number;
  }>`select page_count as pages, freelist_count as free, page_size as size
    from pragma_page_count(), pragma_freelist_count(), pragma_page_size()`.execute(database.query);
  const [{ pages, free, size } = { pages: 0, free: 0, size: 0 }] = rows;
  return { used: (pages - free) * size, free: free * size };
}

/** `cutoff`: null deletes none by age. `mostGb`: for SQLite; PostgreSQL drops partitions instead. */
export function oldRuns(database: Database, cutoff: number | null, mostGb: number | null): PruneTask {
  const suffixes = database.kind === 'postgres' ? [`_${firstPartition}`, `_${restPartition}`] : [''];
  const parts: readonly Part[] = sources.flatMap((source) => suffixes.map((suffix) => ({ source, table: `${source}${suffix}` })));
  const batch = new BatchSize(50, mostRows);

  const isTooLarge = async (): Promise<boolean> =>
    mostGb !== null && database.kind === 'sqlite' && (await usedBytes(database)).used > mostGb * gb;

  /** The partitions that still exist. */
  const existing = async (): Promise<readonly Part[]> => {
    if (database.kind === 'sqlite') return parts;
    const { rows } = await sql<{
      name: string;
    }>`select name from (values ${sql.join(parts.map(({ table }) => sql`(${table}::text)`))}) parts (name)
      where to_regclass(name) is not null`.execute(database.query);
    return parts.filter(({ table }) => rows.some(({ name }) => name === table));
  };

  const oldest = async ({ table }: Part, tenant: string, before: number): Promise<readonly OldestRun[]> => {
    const { rows } = await sql<OldestRun>`select id from ${sql.table(table)}
      where tenant = ${tenant} and started_at < ${before} order by started_at limit ${batch.size}`.execute(database.query);
    return rows;
  };

  /** The tenant with the oldest run of all, and where it lies. */
  const oldestOfAll = async (): Promise<{ part: Part; tenant: string; first: number } | undefined> => {
    const found = await Promise.all(
      parts.map(async (part) => {
        const { rows } = await sql<{ tenant: string; first: number }>`select tenant, first from (select tenant,
          (select min(started_at) from ${sql.table(part.table)} runs where runs.tenant = known.tenant) as first
          from (select distinct tenant from llm_rollup_series) known) where first is not null order by first limit 1`.execute(
          database.query,
        );
        return rows.map((row) => ({ part, ...row }));
      }),
    );
    return found.flat().toSorted((one, other) => one.first - other.first)[0];
  };

  const remove = async ({ table }: Part, runs: readonly OldestRun[]): Promise<boolean> => {
    const ids = sql.join(runs.map(({ id }) => id));
    const texts = sql.join(runs.map(({ id }) => (typeof id === 'string' ? id : unpackedId(id))));
    const done = await batch.measure(() =>
      onOneNode(database, async (transaction) => {
        await sql`delete from llm_attempt where run_id in (${texts})`.execute(transaction);
        await sql`delete from ${sql.table(table)} where id in (${ids})`.execute(transaction);
        return true;
      }),
    );
    return done === true;
  };

  return {
    async expired() {
      if (cutoff === null) return [];
      let count = 0;
      for (const { table } of await existing())
        for (const tenant of await tenantsWithRuns(database)) {
          const { rows } = await sql<{ count: number }>`select count(*) as count from ${sql.table(table)}
            where tenant = ${tenant} and started_at < ${cutoff}`.execute(database.query);
          count += Number(rows[0]?.count ?? 0);
        }
      return [{ table: 'llm_run', unit: 'rows', count }];
    },
    async step() {
      if (!(await isRolledUp(database))) return false;
      if (await isTooLarge()) {
        const found = await oldestOfAll();
        // A day at a time, so that no tenant loses its latest runs before another one its older ones.
        return found !== undefined && remove(found.part, await oldest(found.part, found.tenant, found.first + dayMs));
      }
      if (cutoff === null) return false;
      for (const part of await existing())
        for (const tenant of await tenantsWithRuns(database)) {
          const runs = await oldest(part, tenant, cutoff);
          if (runs.length > 0) return remove(part, runs);
        }
      return false;
    },
  };
}
