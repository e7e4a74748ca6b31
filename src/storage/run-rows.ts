/** Finds the rows of runs: in narrow rows, and in `llm_run`, where older versions wrote them (decision 61). */
import { inIdBatches } from './batched-ids.ts';
import type { Database } from './database.ts';
import { runColumns } from './migrations/run-facts.ts';
import { packedId } from './packed-ids.ts';
import { oldRunsPage, type RunKey, type RunQuery } from './run-pages.ts';
import type { RunTable } from './schema.ts';
import { teamPage } from './team-runs.ts';

/** By the bytes of ids, as both tables are ordered. */
export function inOrder(one: RunKey, other: RunKey): number {
  return one.started_at - other.started_at || Buffer.compare(packedId(one.id), packedId(other.id));
}

export interface RunRows {
  /** Newest first: a page, and one run more. */
  page(query: RunQuery): Promise<readonly RunTable[]>;
  /** In the order of the ids; missing ones are left out. */
  byIds(ids: readonly string[]): Promise<readonly RunTable[]>;
  /** The first runs below a run, in order of their start. */
  below(column: 'root' | 'parent', id: string, limit: number): Promise<readonly RunKey[]>;
}

/** Each function rejects with the driver's error. */
export function createRunRows(database: Pick<Database, 'query' | 'kind'>): RunRows {
  const { query } = database;
  const inFacts = (ids: readonly string[]): Promise<readonly RunTable[]> =>
    inIdBatches(ids, (some) =>
      query
        .selectFrom('llm_run_row')
        .select([...runColumns])
        .where('packed_id', 'in', some.map(packedId))
        .execute(),
    );
  // Conditions on the tenant or the person would tempt SQLite to walk their indexes, which hold all runs. Ids have few rows.
  const inOld = (ids: readonly string[]): Promise<readonly RunTable[]> =>
    inIdBatches(ids, (some) =>
      query
        .selectFrom('llm_run')
        .select([...runColumns])
        .where('id', 'in', some)
        .execute(),
    );

  return {
    async page(asked) {
      const facts = await teamPage(database, asked);
      const old = await oldRunsPage(query, asked).execute();
      if (old.length === 0) return facts;
      return [...facts, ...old].toSorted((one, other) => inOrder(other, one)).slice(0, asked.limit + 1);
    },

    async byIds(ids) {
      const byId = new Map((await inFacts(ids)).map((row) => [row.id, row]));
      const left = ids.filter((id) => !byId.has(id));
      for (const row of await inOld(left)) byId.set(row.id, row);
      return ids.flatMap((id) => byId.get(id) ?? []);
    },

    async below(column, id, limit) {
      const facts = await query
        .selectFrom('llm_run_row')
        .select(['id', 'started_at'])
        .where(column === 'root' ? 'packed_root' : 'packed_parent', '=', packedId(id))
        .orderBy('started_at')
        .orderBy('packed_id')
        .limit(limit)
        .execute();
      const old = await query
        .selectFrom('llm_run')
        .select(['id', 'started_at'])
        .where(column, '=', id)
        .where('parent', 'is not', null)
        .orderBy('started_at')
        .orderBy('id')
        .limit(limit)
        .execute();
      return [...facts, ...old].toSorted(inOrder).slice(0, limit);
    },
  };
}
