/** Makes the monthly partitions of runs and attempts in time, and drops those whose whole month is old. */
import { type Kysely, sql } from 'kysely';
import type { Database } from '../database.ts';
import { addMonth, monthStart, monthSuffix, type PartitionedTable, partitionedTables } from '../migrations/month-partitions.ts';
import type { PruneTask } from './prune-task.ts';
import { onOneNode, rolledUp } from './single-node.ts';

const gb = 1_000_000_000;
/** Months that have a partition before they begin. */
const monthsAhead = 2;

interface Partition {
  readonly name: string;
  readonly table: PartitionedTable;
  /** The exclusive end, in epoch milliseconds. */
  readonly end: number;
  readonly bytes: number;
}

const tables = Object.keys(partitionedTables) as PartitionedTable[];

/** All partitions with an end, the oldest first. */
export async function partitionsOf(database: Database, table: PartitionedTable): Promise<readonly Partition[]> {
  const { rows } = await sql<{ name: string; bounds: string; bytes: string | number }>`select part.relname as name,
    pg_get_expr(part.relpartbound, part.oid) as bounds, pg_total_relation_size(part.oid) as bytes
    from pg_inherits join pg_class part on part.oid = inhrelid where inhparent = ${table}::regclass`.execute(database.query);
  return rows
    .flatMap(({ name, bounds, bytes }) => {
      const end = / TO \('?(\d+)'?\)/.exec(bounds)?.[1];
      return end === undefined ? [] : [{ name, table, end: Number(end), bytes: Number(bytes) }];
    })
    .toSorted((one, other) => one.end - other.end);
}

/** The months from now on that lack a partition. */
function missingMonths(table: PartitionedTable, existing: readonly Partition[], now: number): readonly number[] {
  const last = existing.at(-1)?.end ?? monthStart(now);
  const months: number[] = [];
  for (let start = Math.max(last, monthStart(now)); start <= monthStart(now, monthsAhead); start = monthStart(start, 1))
    if (!existing.some(({ name }) => name === `${table}_${monthSuffix(start)}`)) months.push(start);
  return months;
}

/** `now` gives the time, so that months can be made in advance. */
export function monthlyPartitions(
  database: Database,
  limits: { cutoff: number | null; mostGb: number | null },
  now: () => number,
): PruneTask {
  const dropped = async (): Promise<readonly Partition[]> => {
    const all = (await Promise.all(tables.map((table) => partitionsOf(database, table)))).flat();
    const old = all.filter(({ end }) => limits.cutoff !== null && end <= limits.cutoff);
    if (limits.mostGb === null) return old;
    let bytes = all.reduce((sum, each) => sum + each.bytes, 0) - old.reduce((sum, each) => sum + each.bytes, 0);
    const more: Partition[] = [];
    for (const each of all.toSorted((one, other) => one.end - other.end)) {
      // The current month stays.
      if (bytes <= limits.mostGb * gb || each.end > now()) break;
      if (old.includes(each)) continue;
      more.push(each);
      bytes -= each.bytes;
    }
    return [...old, ...more];
  };

  const isReady = rolledUp(database);
  return {
    async expired() {
      if (database.kind === 'sqlite') return [];
      const found = await dropped();
      return tables.map((table) => ({ table, unit: 'partitions', count: found.filter((each) => each.table === table).length }));
    },
    async step() {
      if (database.kind === 'sqlite') return false;
      for (const table of tables) {
        const [start] = missingMonths(table, await partitionsOf(database, table), now());
        if (start === undefined) continue;
        const made = await onOneNode(database, async (transaction) => {
          await addMonth(transaction as unknown as Kysely<unknown>, table, start);
          return true;
        });
        return made === true;
      }
      const [first] = await dropped();
      if (first === undefined || !(await isReady())) return false;
      const done = await onOneNode(database, async (transaction) => {
        await sql`drop table ${sql.table(first.name)}`.execute(transaction);
        return true;
      });
      return done === true;
    },
  };
}
