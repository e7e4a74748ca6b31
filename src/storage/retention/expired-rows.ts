/** Deletes rows whose own time has come: stored responses and contents of runs. */
import { sql } from 'kysely';
import type { Database } from '../database.ts';
import { firstRows } from './first-rows.ts';
import type { PruneTask } from './prune-task.ts';

export function expiredRows(database: Database, table: 'llm_response' | 'llm_run_content', now: number): PruneTask {
  const step = firstRows(database, async function* ranges() {
    yield { table, key: ['id'], by: 'expires_at', where: sql`true`, from: 0, to: now + 1 };
  });
  return {
    async expired() {
      const { count } = await database.query
        .selectFrom(table)
        .select((select) => select.fn.countAll<number>().as('count'))
        .where('expires_at', '<=', now)
        .executeTakeFirstOrThrow();
      return [{ table, unit: 'rows', count: Number(count) }];
    },
    step,
  };
}
