/** Reads the ledger. */
import { GatewayError } from '../types/errors.ts';
import type { RunContent } from '../types/run.ts';
import { attemptInRun } from './attempt-rows.ts';
import type { Database } from './database.ts';
import { withStorageErrors } from './storage-errors.ts';
import { inIdBatches } from './batched-ids.ts';
import { runConditions, type RunFilter, type RunOwner } from './run-filter.ts';
import type { RunContents } from './run-contents.ts';
import type { AttemptTable, RunTable } from './schema.ts';
import { storedCost, storedCount } from './stored-counts.ts';

export type RunSummary = ReturnType<typeof summaryOf>;
/** With attempts, and with input and output when retained. */
export type RunEntry = RunSummary & {
  readonly attempts: readonly ReturnType<typeof attemptOf>[];
  readonly content: RunContent | null;
};
export type RunDetail = RunEntry & { readonly children: readonly RunSummary[] };

export interface RunQuery {
  readonly tenant: string;
  /** Null for all people. */
  readonly owner: RunOwner | null;
  readonly filter: RunFilter;
  /** The `next` of the previous page. */
  readonly after: string | null;
  readonly limit: number;
}

export interface RunReader {
  /** Newest first. */
  list(query: RunQuery): Promise<{ data: RunSummary[]; next: string | null }>;
  get(tenant: string, id: string, owner: RunOwner | null): Promise<RunDetail | null>;
  /** All runs under the root run `id` of this person, including it, in order of their start; at most `mostOfTree`. */
  tree(tenant: string, owner: RunOwner, id: string): Promise<RunEntry[]>;
}

export const mostOfTree = 5_000;
const treeAtOnce = 200;

/** The latest time that a Date can hold. */
const latest = 8_640_000_000_000_000;
const time = (epoch: number | null): string | null => {
  const known = storedCount(epoch, latest);
  return known === null ? null : new Date(known).toISOString();
};

/** Included only for runs that have them. */
const otherCounts = [
  'cache_write_tokens',
  'cache_write_1h_tokens',
  'audio_input_tokens',
  'audio_output_tokens',
  'image_input_tokens',
  'image_output_tokens',
  'pictures',
  'milliseconds',
  'characters',
  'pages',
  'searches',
] as const;

/** Null when the counts are unknown. */
function usageOf(row: RunTable) {
  const [input, output] = [storedCount(row.input_tokens), storedCount(row.output_tokens)];
  if (input === null || (output === null && row.output_tokens !== null)) return null;
  const others: Partial<Record<(typeof otherCounts)[number], number>> = {};
  for (const name of otherCounts) {
    const count = storedCount(row[name]);
    if (count !== null) others[name] = count;
  }
  return {
    input_tokens: input,
    output_tokens: output,
    cached_input_tokens: storedCount(row.cached_input_tokens),
    reasoning_tokens: storedCount(row.reasoning_tokens),
    ...others,
    estimated: row.usage_estimated !== 0,
  };
}

function summaryOf(row: RunTable) {
  return {
    id: row.id,
    parent: row.parent,
    root: row.root,
    request_id: row.request_id,
    issuer: row.issuer,
    subject: row.subject,
    username: row.username,
    key: row.key_id,
    ...(row.on_behalf_of === null ? {} : { on_behalf_of: row.on_behalf_of }),
    capability: row.capability,
    operation: row.operation,
    streamed: row.streamed !== 0,
    revision: Number(row.revision),
    started_at: time(row.started_at),
    first_token_at: time(row.first_token_at),
    ended_at: time(row.ended_at),
    outcome: row.outcome,
    error: row.error,
    deployment: row.deployment,
    usage: usageOf(row),
    cost: storedCost(row.cost, row.cost_femto),
    currency: row.currency,
  };
}

function attemptOf(row: AttemptTable) {
  return {
    number: row.number,
    deployment: row.deployment,
    provider: row.provider,
    upstream_model: row.upstream_model,
    started_at: time(row.started_at),
    first_token_at: time(row.first_token_at),
    ended_at: time(row.ended_at),
    outcome: row.outcome,
    status: row.status,
    error: row.error,
    detail: row.detail,
    input_tokens: storedCount(row.input_tokens),
    output_tokens: storedCount(row.output_tokens),
    cached_input_tokens: storedCount(row.cached_input_tokens),
    cache_write_tokens: storedCount(row.cache_write_tokens),
    cost: storedCost(row.cost, row.cost_femto),
    currency: row.currency,
  };
}

type RunKey = Pick<RunTable, 'id' | 'started_at'>;

function inOrder(one: RunKey, other: RunKey): number {
  return one.started_at - other.started_at || (one.id < other.id ? -1 : 1);
}

function keyOf(row: RunTable): string {
  return `${Number(row.started_at)}.${row.id}`;
}

function keyFrom(after: string): { startedAt: number; id: string } {
  const [, startedAt, id] = /^(\d{1,15})\.(.{1,64})$/.exec(after) ?? [];
  if (startedAt === undefined || id === undefined) {
    throw new GatewayError('invalid_request', '`after` must be the `next` of the previous page.', { param: 'after' });
  }
  return { startedAt: Number(startedAt), id };
}

/** The query of a page, and one run more. */
export function runsPage(query: Database['query'], { tenant, owner, filter, after, limit }: RunQuery) {
  let page = query
    .selectFrom('llm_run')
    .selectAll()
    .where(runConditions(tenant, owner, filter));
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

export function createRunReader(database: Database, contents: Pick<RunContents, 'read'>): RunReader {
  const entriesOf = async (rows: readonly RunTable[]): Promise<RunEntry[]> => {
    const ids = rows.map(({ id }) => id);
    const withRows = rows.filter((row) => row.attempt_started_at === null).map(({ id }) => id);
    const attempts: readonly AttemptTable[] = await inIdBatches(withRows, (some) =>
      database.query.selectFrom('llm_attempt').selectAll().where('run_id', 'in', some).orderBy('number').execute(),
    );
    const byRun = Map.groupBy(attempts, (attempt) => attempt.run_id);
    const kept = await contents.read(ids);
    const attemptsOf = (row: RunTable): readonly AttemptTable[] => {
      const only = attemptInRun(row);
      return only === null ? (byRun.get(row.id) ?? []) : [only];
    };
    return rows.map((row) => ({
      ...summaryOf(row),
      attempts: attemptsOf(row).map(attemptOf),
      content: kept.get(row.id) ?? null,
    }));
  };

  // Conditions on the tenant or the person would tempt SQLite to walk their indexes, which hold all runs. Ids have few rows.
  const rowOf = (id: string): Promise<RunTable | undefined> =>
    database.query.selectFrom('llm_run').selectAll().where('id', '=', id).executeTakeFirst();

  /** The first runs below a run, in order of their start. */
  const keysOf = (column: 'root' | 'parent', id: string, limit: number): Promise<RunKey[]> =>
    database.query
      .selectFrom('llm_run')
      .select(['id', 'started_at'])
      .where(column, '=', id)
      .where('parent', 'is not', null)
      .orderBy('started_at')
      .orderBy('id')
      .limit(limit)
      .execute();

  /** The runs with these ids, in this order. */
  const rowsOf = async (ids: readonly string[]): Promise<readonly RunTable[]> => {
    const rows = await inIdBatches(ids, (some) => database.query.selectFrom('llm_run').selectAll().where('id', 'in', some).execute());
    const byId = new Map(rows.map((row) => [row.id, row]));
    return ids.flatMap((id) => byId.get(id) ?? []);
  };

  return {
    async list({ tenant, owner, filter, after, limit }) {
      const found = runsPage(database.query, { tenant, owner, filter, after, limit });
      const rows = await withStorageErrors(database, () => found.execute());
      const page = rows.slice(0, limit);
      const last = page.at(-1);
      return { data: page.map(summaryOf), next: rows.length > limit && last !== undefined ? keyOf(last) : null };
    },

    tree: (tenant, owner, id) =>
      withStorageErrors(database, async () => {
        const isOwn = (row: RunTable): boolean => row.tenant === tenant && row.subject === owner.subject && row.issuer === owner.issuer;
        const top = await rowOf(id);
        const below = await keysOf('root', id, mostOfTree);
        const ids = [...(top === undefined ? [] : [top]), ...below].toSorted(inOrder).map((each) => each.id);
        const entries: RunEntry[] = [];
        // In parts, so that a large tree does not hold the event loop.
        for (let start = 0; start < Math.min(ids.length, mostOfTree); start += treeAtOnce)
          entries.push(...(await entriesOf((await rowsOf(ids.slice(start, Math.min(start + treeAtOnce, mostOfTree)))).filter(isOwn))));
        return entries;
      }),

    get: (tenant, id, owner) =>
      withStorageErrors(database, async () => {
        const row = await rowOf(id);
        const isOwn = owner === null || (row?.subject === owner.subject && row.issuer === owner.issuer);
        if (row?.tenant !== tenant || !isOwn) return null;
        const [entry] = await entriesOf([row]);
        const children = await rowsOf((await keysOf('parent', id, mostOfTree)).map((each) => each.id));
        return { ...(entry as RunEntry), children: children.filter((child) => child.tenant === tenant).map(summaryOf) };
      }),
  };
}
