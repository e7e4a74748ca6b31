/** Deletes old changes from the history of the configuration. The latest revisions stay at any age, for other nodes and for roll-backs. */
import type { Database } from '../database.ts';
import type { PruneTask } from './prune-task.ts';
import { onOneNode } from './single-node.ts';

export const revisionsKept = 1_000;
const revisionsAtOnce = 50;

/** The revision up to which the history is deleted; null when nothing is. */
async function lastOld(database: Database, cutoff: number): Promise<number | null> {
  const { revision } = await database.query.selectFrom('llm_config_revision').select('revision').executeTakeFirstOrThrow();
  // Revisions grow with time, so the first kept one bounds the others.
  const kept = await database.query
    .selectFrom('llm_config_history')
    .select('revision')
    .where('at', '>=', new Date(cutoff).toISOString())
    .orderBy('revision')
    .limit(1)
    .executeTakeFirst();
  const last = Math.min(Number(revision) - revisionsKept, kept === undefined ? Number.MAX_SAFE_INTEGER : Number(kept.revision) - 1);
  return last > 0 ? last : null;
}

export function oldHistory(database: Database, cutoff: number | null): PruneTask {
  const table = 'llm_config_history';
  return {
    async expired() {
      const last = cutoff === null ? null : await lastOld(database, cutoff);
      if (last === null) return [{ table, unit: 'rows', count: 0 }];
      const { count } = await database.query
        .selectFrom(table)
        .select((select) => select.fn.countAll<number>().as('count'))
        .where('revision', '<=', last)
        .executeTakeFirstOrThrow();
      return [{ table, unit: 'rows', count: Number(count) }];
    },
    async step() {
      const last = cutoff === null ? null : await lastOld(database, cutoff);
      if (last === null) return false;
      const oldest = await database.query.selectFrom(table).select('revision').orderBy('revision').limit(1).executeTakeFirst();
      if (oldest === undefined || Number(oldest.revision) > last) return false;
      const upTo = Math.min(last, Number(oldest.revision) + revisionsAtOnce);
      const done = await onOneNode(database, async (transaction) => {
        await transaction.deleteFrom(table).where('revision', '<=', upTo).execute();
        return true;
      });
      return done === true;
    },
  };
}
