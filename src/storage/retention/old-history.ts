/** Deletes old changes from the history of the configuration. The latest revisions stay at any age, for other nodes and for roll-backs. */
import { sql } from 'kysely';
import type { Database } from '../database.ts';
import type { PruneTask } from './prune-task.ts';
import { firstRows } from './first-rows.ts';

export const revisionsKept = 1_000;

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
  const step = firstRows(database, async function* ranges() {
    const last = cutoff === null ? null : await lastOld(database, cutoff);
    // A revision may have many thousand changes. Its first one goes first: `oldestChange` counts it as gone from then on.
    if (last !== null)
      yield { table, key: ['revision', 'sequence'], by: 'revision', within: 'sequence', where: sql`true`, from: 0, to: last + 1 };
  });
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
    step,
  };
}
