/** Gives the space of deleted rows back to the disk: a few pages of the SQLite file in each step. PostgreSQL drops partitions, or reuses the space. */
import { sql } from 'kysely';
import type { Database } from '../database.ts';
import { BatchSize } from './batch-size.ts';
import type { PruneTask } from './prune-task.ts';
import { usedBytes } from './old-runs.ts';

/** A page that is given back moves another one from the end of the file to its place. */
const mostPages = 200;
/** Free space that the file keeps for its next rows. */
const keptBytes = 16 * 1024 * 1024;

export function freePages(database: Database): PruneTask {
  const spare = async (): Promise<number> => {
    if (database.kind === 'postgres') return 0;
    const { rows } = await sql<{ auto_vacuum: number }>`select auto_vacuum from pragma_auto_vacuum()`.execute(database.query);
    // 2: incremental. Files of older versions reuse their free pages; `pailou prune --compact` makes them incremental.
    if (rows[0]?.auto_vacuum !== 2) return 0;
    return Math.max(0, (await usedBytes(database)).free - keptBytes);
  };
  const batch = new BatchSize(mostPages);
  return {
    expired: async () => (database.kind === 'postgres' ? [] : [{ table: 'file', unit: 'bytes', count: await spare() }]),
    async step() {
      if ((await spare()) === 0) return false;
      await batch.measure(() => sql`pragma incremental_vacuum(${sql.lit(batch.size)})`.execute(database.query));
      return true;
    },
  };
}
