/** The queries of a page of runs. */
import { GatewayError } from '../types/errors.ts';
import type { Database } from './database.ts';
import { runColumns } from './migrations/run-facts.ts';
import { packedId } from './packed-ids.ts';
import { oldRunConditions, runConditions, type RunFilter, type RunOwner } from './run-filter.ts';
import type { RunTable } from './schema.ts';

export interface RunQuery {
  readonly tenant: string;
  /** Null for all people. */
  readonly owner: RunOwner | null;
  readonly filter: RunFilter;
  /** The `next` of the previous page. */
  readonly after: string | null;
  readonly limit: number;
}

export type RunKey = Pick<RunTable, 'id' | 'started_at'>;

export function keyOf(row: RunKey): string {
  return `${Number(row.started_at)}.${row.id}`;
}

function keyFrom(after: string): { startedAt: number; id: string } {
  const [, startedAt, id] = /^(\d{1,15})\.(.{1,64})$/.exec(after) ?? [];
  if (startedAt === undefined || id === undefined) {
    throw new GatewayError('invalid_request', '`after` must be the `next` of the previous page.', { param: 'after' });
  }
  return { startedAt: Number(startedAt), id };
}

/** The query of a page of narrow rows, and one run more. */
export function runsPage({ query, kind }: Pick<Database, 'query' | 'kind'>, { tenant, owner, filter, after, limit }: RunQuery) {
  let page = query
    .selectFrom('llm_run_row')
    .select([...runColumns])
    .where(runConditions(tenant, owner, filter, kind === 'postgres'));
  if (after !== null) {
    const { startedAt, id } = keyFrom(after);
    // The first condition bounds the index; the second one is for runs of the same millisecond.
    page = page
      .where('started_at', '<=', startedAt)
      .where((where) => where.or([where('started_at', '<', startedAt), where('packed_id', '<', packedId(id))]));
  }
  return page
    .orderBy('started_at', 'desc')
    .orderBy('packed_id', 'desc')
    .limit(limit + 1);
}

/** The same of the runs of older versions. */
export function oldRunsPage(query: Database['query'], { tenant, owner, filter, after, limit }: RunQuery) {
  let page = query
    .selectFrom('llm_run')
    .select([...runColumns])
    .where(oldRunConditions(tenant, owner, filter));
  if (after !== null) {
    const { startedAt, id } = keyFrom(after);
    page = page.where((where) =>
      where.or([where('started_at', '<', startedAt), where.and([where('started_at', '=', startedAt), where('id', '<', id)])]),
    );
  }
  return page
    .orderBy('started_at', 'desc')
    .orderBy('id', 'desc')
    .limit(limit + 1);
}
