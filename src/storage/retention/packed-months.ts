/**
 * PostgreSQL: packs the indexes of a month of runs that has ended. The runs of a person come in the order of time: a page of an index by person
 * is split in two halves again and again, and nothing fills the first half. Reading and writing go on meanwhile.
 */
import { type Kysely, sql } from 'kysely';
import type { Database } from '../database.ts';
import type { Schema } from '../schema.ts';
import { partitionsOf } from './month-partitions.ts';
import { dayMs, type PruneTask } from './prune-task.ts';

/** Runs that wait on the disk of a node come no later, as a rule. Those that do take more space, and nothing else. */
const lateDays = 2;
/** Any number that no other part of Pailou uses for an advisory lock. */
const lockKey = 7_260_054;
/** The comment of a packed index. It outlives each node, and a dump contains it. */
const packed = 'packed';
/** A rebuild waits for each transaction that began before it, such as a dump. It is tried again in the next round. */
const patience = '1s';
const [canceled, lockNotAvailable] = ['57014', '55P03'];

interface Index {
  readonly name: string;
  /** False for what an interrupted rebuild has left. */
  readonly valid: boolean;
}

async function nextIndex(query: Kysely<Schema>, months: readonly string[]): Promise<Index | undefined> {
  if (months.length === 0) return undefined;
  const { rows } = await sql<Index>`select index.relname as name, indisvalid as valid
    from pg_inherits join pg_class part on part.oid = inhrelid join pg_index on indrelid = part.oid
      join pg_class index on index.oid = indexrelid
    where inhparent = 'llm_run_fact'::regclass and part.relname in (${sql.join(months)})
      and obj_description(indexrelid, 'pg_class') is distinct from ${packed}
    order by indisvalid, index.relname limit 1`.execute(query);
  return rows[0];
}

/** Whether a transaction is old enough that a rebuild would wait for it. Those of other users are not visible, and fail the rebuild. */
async function isAwaited(query: Kysely<Schema>): Promise<boolean> {
  const { rows } = await sql<{ old: boolean }>`select exists (select 1 from pg_stat_activity where datname = current_database()
    and backend_type = 'client backend' and pid <> pg_backend_pid() and xact_start < now() - ${patience}::interval) as old`.execute(query);
  return rows[0]?.old === true;
}

/** PostgreSQL rebuilds an index concurrently only outside of a transaction. */
async function pack(query: Kysely<Schema>, { name, valid }: Index): Promise<void> {
  const index = sql.ref(name);
  if (!valid) {
    await sql`drop index concurrently ${index}`.execute(query);
    return;
  }
  await sql`alter index ${index} set (fillfactor = 100)`.execute(query);
  await sql`reindex index concurrently ${index}`.execute(query);
  await sql`comment on index ${index} is ${sql.lit(packed)}`.execute(query);
}

/** `now` gives the time. Each step packs one index; it reads the month twice, which takes seconds for millions of runs. */
export function packedMonths(database: Database, now: () => number): PruneTask {
  const next = async (query: Kysely<Schema>): Promise<Index | undefined> => {
    const months = await partitionsOf(database, 'llm_run_fact');
    return nextIndex(
      query,
      months.filter(({ end }) => end + lateDays * dayMs <= now()).map(({ name }) => name),
    );
  };
  return {
    expired: () => Promise.resolve([]),
    async step(signal) {
      if (database.patient === undefined || (await next(database.query)) === undefined) return false;
      const own = database.patient();
      try {
        return await own.connection().execute(async (query) => {
          // A lock of the session ends with its node. False: another node packs.
          const { rows } = await sql<{ taken: boolean; pid: number }>`select pg_try_advisory_lock(${sql.lit(lockKey)}) as taken,
            pg_backend_pid() as pid`.execute(query);
          if (rows[0]?.taken !== true) return false;
          const { pid } = rows[0];
          const cancel = (): void => void sql`select pg_cancel_backend(${pid})`.execute(database.query).catch(() => {});
          signal?.addEventListener('abort', cancel, { once: true });
          try {
            const index = await next(query);
            if (index === undefined || signal?.aborted === true || (await isAwaited(query))) return false;
            await sql`set lock_timeout = ${sql.lit(patience)}`.execute(query);
            await pack(query, index);
            return true;
          } finally {
            signal?.removeEventListener('abort', cancel);
            // The server keeps the lock of a closed connection for a moment.
            await sql`select pg_advisory_unlock(${sql.lit(lockKey)})`.execute(query).catch(() => {});
          }
        });
      } catch (thrown) {
        const { code } = thrown as { code?: string };
        if (code === lockNotAvailable || (code === canceled && signal?.aborted === true)) return false;
        throw thrown;
      } finally {
        await own.destroy();
      }
    },
  };
}
