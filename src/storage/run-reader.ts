/** Reads the ledger. */
import type { RunContent } from '../types/run.ts';
import { attemptInRun } from './attempt-rows.ts';
import type { Database } from './database.ts';
import { withStorageErrors } from './storage-errors.ts';
import { inIdBatches } from './batched-ids.ts';
import { splitRoles } from './role-list.ts';
import type { RunOwner, TeamRuns } from './run-filter.ts';
import { keyOf, type RunQuery } from './run-pages.ts';
import { createRunRows, inOrder } from './run-rows.ts';
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

export interface RunReader {
  /** Newest first. */
  list(query: RunQuery): Promise<{ data: RunSummary[]; next: string | null }>;
  /** Null for an unknown run, and for one of another owner or another team. */
  get(tenant: string, id: string, owner: RunOwner | null, team?: TeamRuns): Promise<RunDetail | null>;
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

export function summaryOf(row: RunTable) {
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

export function createRunReader(database: Database, contents: Pick<RunContents, 'read'>): RunReader {
  const found = createRunRows(database);
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

  return {
    async list(query) {
      const rows = await withStorageErrors(database, () => found.page(query));
      const page = rows.slice(0, query.limit);
      const last = page.at(-1);
      return { data: page.map(summaryOf), next: rows.length > query.limit && last !== undefined ? keyOf(last) : null };
    },

    tree: (tenant, owner, id) =>
      withStorageErrors(database, async () => {
        const isOwn = (row: RunTable): boolean => row.tenant === tenant && row.subject === owner.subject && row.issuer === owner.issuer;
        const [top] = await found.byIds([id]);
        const below = await found.below('root', id, mostOfTree);
        const ids = [...(top === undefined ? [] : [top]), ...below].toSorted(inOrder).map((each) => each.id);
        const entries: RunEntry[] = [];
        // In parts, so that a large tree does not hold the event loop.
        for (let start = 0; start < Math.min(ids.length, mostOfTree); start += treeAtOnce)
          entries.push(...(await entriesOf((await found.byIds(ids.slice(start, Math.min(start + treeAtOnce, mostOfTree)))).filter(isOwn))));
        return entries;
      }),

    get: (tenant, id, owner, team) =>
      withStorageErrors(database, async () => {
        const [row] = await found.byIds([id]);
        const isOwn = owner === null || (row?.subject === owner.subject && row.issuer === owner.issuer);
        if (row?.tenant !== tenant || !isOwn) return null;
        if (team !== undefined && (!splitRoles(row.roles).includes(team.role) || row.started_at < team.since)) return null;
        const [entry] = await entriesOf([row]);
        const children = await found.byIds((await found.below('parent', id, mostOfTree)).map((each) => each.id));
        return { ...(entry as RunEntry), children: children.filter((child) => child.tenant === tenant).map(summaryOf) };
      }),
  };
}
