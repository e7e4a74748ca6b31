/** Deletes old runs with their attempts row by row: on SQLite all, on PostgreSQL those of the partitions without a month. */
import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { Database } from '../database.ts';
import { firstPartition, restPartition } from '../migrations/month-partitions.ts';
import { unpackedId } from '../packed-ids.ts';
import type { Schema } from '../schema.ts';
import { BatchSize } from './batch-size.ts';
import { dayMs, type PruneTask } from './prune-task.ts';
import { onOneNode, rolledUp } from './single-node.ts';
import { tenantsOf } from './tenants.ts';
import { type Removed, walk } from './walk.ts';

const gb = 1_000_000_000;
/** Runs in one step: the ids of more would hold the event loop for over 5 ms. */
const mostRows = 100;
/** The longest run, in milliseconds: ten years. */
const largestLength = 3_650 * dayMs;
/** Narrow rows, and those of older versions (decision 61). */
const sources = ['llm_run_fact', 'llm_run'] as const;
type Source = (typeof sources)[number];

interface Part {
  readonly source: Source;
  readonly table: string;
}

interface Place {
  readonly part: Part;
  readonly tenant: string;
}

interface DeletedRun {
  readonly id: string | Uint8Array;
  readonly started_at: number;
  readonly ended_at: number;
}

/** The partition of an attempt goes by its own start. The extra day allows for a clock that was set during the run. */
const slackMs = dayMs;
/** The latest time that a Date can hold. */
const latest = 8_640_000_000_000_000;
/** On PostgreSQL, where attempts are searched in the months between start and end. A stored time may be any number. */
const endOf: Readonly<Record<Source, RawBuilder<unknown>>> = {
  llm_run_fact: sql.raw(`started_at + least(greatest(coalesce(ended_ms, short_ended_ms), 0), ${largestLength})`),
  llm_run: sql`coalesce(ended_at, started_at)`,
};

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
  const postgres = database.kind === 'postgres';
  const suffixes = postgres ? [`_${firstPartition}`, `_${restPartition}`] : [''];
  const parts: readonly Part[] = sources.flatMap((source) => suffixes.map((suffix) => ({ source, table: `${source}${suffix}` })));
  const batch = new BatchSize(mostRows);
  const isReady = rolledUp(database);

  const isTooLarge = async (): Promise<boolean> => mostGb !== null && !postgres && (await usedBytes(database)).used > mostGb * gb;

  /** The partitions that still exist. */
  const existing = async (): Promise<readonly Part[]> => {
    if (!postgres) return parts;
    const { rows } = await sql<{
      name: string;
    }>`select name from (values ${sql.join(parts.map(({ table }) => sql`(${table}::text)`))}) parts (name)
      where to_regclass(name) is not null`.execute(database.query);
    return parts.filter(({ table }) => rows.some(({ name }) => name === table));
  };

  async function* places(): AsyncGenerator<Place> {
    for (const part of await existing()) for await (const tenant of tenantsOf(database, part.table)) yield { part, tenant };
  }

  /** Where the tenant with the oldest run of all has it. */
  const oldestOfAll = async (): Promise<{ place: Place; first: number } | undefined> => {
    let oldest: { place: Place; first: number } | undefined;
    for await (const place of places()) {
      const { rows } = await sql<{ first: number }>`select min(started_at) as first from ${sql.table(place.part.table)}
        where tenant = ${place.tenant}`.execute(database.query);
      const first = Number(rows[0]?.first);
      if (oldest === undefined || first < oldest.first) oldest = { place, first };
    }
    return oldest;
  };

  const deleteAttempts = async (transaction: Transaction<Schema>, runs: readonly DeletedRun[]): Promise<void> => {
    const texts = runs.map(({ id }) => (typeof id === 'string' ? id : unpackedId(id)));
    if (!postgres) {
      await sql`delete from llm_attempt where run_id in (select value from json_each(${JSON.stringify(texts)}))`.execute(transaction);
      return;
    }
    // Without the times, PostgreSQL would search each run in each month.
    const first = Math.min(...runs.map((run) => Number(run.started_at)));
    const last = Math.max(...runs.map((run) => Number(run.ended_at)));
    await sql`delete from llm_attempt where run_id = any (${texts}::text[])
      and started_at between ${Math.max(first - slackMs, -latest)} and ${Math.min(last + slackMs, latest)}`.execute(transaction);
  };

  /** Deletes the oldest runs of a place. Its statements have the same text for any number of runs, so that a database prepares them once. */
  const remove = ({ part: { source, table }, tenant }: Place, from: number | null, before: number): Promise<Removed> =>
    batch.measure(() =>
      onOneNode(database, async (transaction) => {
        const later = from === null ? sql`` : sql`and started_at >= ${from}`;
        const row = sql.raw(postgres ? 'ctid' : 'rowid');
        const first = sql`(select ${row} from ${sql.table(table)} where tenant = ${tenant} ${later} and started_at < ${before}
          order by started_at limit ${batch.size})`;
        const { rows: runs } = await sql<DeletedRun>`delete from ${sql.table(table)}
          where ${postgres ? sql`ctid = any (array ${first})` : sql`rowid in ${first}`}
          returning id, started_at, ${postgres ? endOf[source] : sql`started_at`} as ended_at`.execute(transaction);
        if (runs.length === 0) return undefined;
        await deleteAttempts(transaction, runs);
        return Math.max(...runs.map((run) => Number(run.started_at)));
      }),
    );

  const removeByAge = cutoff === null ? null : walk(places, (place, from) => remove(place, from, cutoff));

  return {
    async expired() {
      if (cutoff === null) return [];
      let count = 0;
      for await (const { part, tenant } of places()) {
        const { rows } = await sql<{ count: number }>`select count(*) as count from ${sql.table(part.table)}
          where tenant = ${tenant} and started_at < ${cutoff}`.execute(database.query);
        count += Number(rows[0]?.count ?? 0);
      }
      return [{ table: 'llm_run', unit: 'rows', count }];
    },
    async step() {
      if (!(await isReady())) return false;
      if (!(await isTooLarge())) return removeByAge !== null && removeByAge();
      const found = await oldestOfAll();
      // A day at a time, so that no tenant loses its latest runs before another one its older ones.
      return found !== undefined && typeof (await remove(found.place, null, found.first + dayMs)) === 'number';
    },
  };
}
