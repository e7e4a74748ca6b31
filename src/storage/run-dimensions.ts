/** The numbers of repeating texts of runs: their persons, keys, callers, targets and results. A row of a dimension is inserted once and never changes. */
import { createHash } from 'node:crypto';
import { sql } from 'kysely';
import { inIdBatches } from './batched-ids.ts';
import type { Database } from './database.ts';
import { dimensionNames, type RunDimension, runDimensions } from './migrations/run-facts.ts';
import { cleanText } from './row-json.ts';
import type { RunTable } from './schema.ts';

/** For each dimension the numbers of the runs; null for a run without a key. */
export type DimensionIds = Readonly<Record<RunDimension, readonly (number | null)[]>>;
type Value = string | number | null;

/** More than a busy node sees; the cache is emptied above it. */
const mostCached = 100_000;

const cleanValues = (values: readonly Value[]): readonly Value[] =>
  values.map((value) => (typeof value === 'string' ? cleanText(value) : value));

const digestOf = (clean: readonly Value[]): string => createHash('sha256').update(JSON.stringify(clean)).digest('hex').slice(0, 32);

/** Finds the row of a dimension with these values, in the order of its columns. */
export function dimensionDigest(values: readonly Value[]): string {
  return digestOf(cleanValues(values));
}

/** Numbers by values: one map for each column, whose keys are the texts of the runs themselves, so that a hit builds no text. */
class ValueTrie {
  readonly #root = new Map<Value, unknown>();
  size = 0;

  get(columns: readonly (keyof RunTable)[], run: RunTable): number | undefined {
    let node: unknown = this.#root;
    for (const column of columns) {
      if (node === undefined) return undefined;
      node = (node as Map<Value, unknown>).get(run[column]);
    }
    return node as number | undefined;
  }

  set(columns: readonly (keyof RunTable)[], run: RunTable, id: number): void {
    let node = this.#root;
    for (const column of columns.slice(0, -1)) {
      const next = (node.get(run[column]) as Map<Value, unknown> | undefined) ?? new Map<Value, unknown>();
      node.set(run[column], next);
      node = next;
    }
    const last = run[columns.at(-1) as keyof RunTable];
    if (!node.has(last)) this.size++;
    node.set(last, id);
  }

  clear(): void {
    this.#root.clear();
    this.size = 0;
  }
}

export interface RunDimensions {
  /** Inserts what is missing. Rejects with the driver's error. */
  idsOf(runs: readonly RunTable[]): Promise<DimensionIds>;
  /** After a failure: another server may have taken over, without the latest rows. */
  forget(): void;
}

export function createRunDimensions({ query }: Pick<Database, 'query'>): RunDimensions {
  const known = new Map(dimensionNames.map((name) => [name, new ValueTrie()]));

  const insert = async (name: RunDimension, missing: readonly RunTable[]): Promise<void> => {
    const table = sql.table(`llm_run_${name}`);
    const columns = sql.join(['digest', ...runDimensions[name]].map((column) => sql.ref(column)));
    const rows = new Map<string, readonly Value[]>();
    for (const run of missing) {
      const values = cleanValues(runDimensions[name].map((column) => run[column]));
      rows.set(digestOf(values), values);
    }
    // In the order of the digests, so that two nodes never wait for each other.
    const found = await inIdBatches([...rows.keys()].toSorted(), async (digests) => {
      const added = digests.map((digest) => sql`(${sql.join([digest, ...(rows.get(digest) ?? [])])})`);
      await sql`insert into ${table} (${columns}) values ${sql.join(added)} on conflict do nothing`.execute(query);
      const { rows: ids } = await sql<{
        id: number;
        digest: string;
      }>`select id, digest from ${table} where digest in (${sql.join(digests)})`.execute(query);
      return ids;
    });
    const cache = known.get(name) as ValueTrie;
    const ids = new Map(found.map(({ id, digest }) => [digest, id]));
    for (const run of missing)
      cache.set(runDimensions[name], run, ids.get(dimensionDigest(runDimensions[name].map((column) => run[column]))) as number);
  };

  const numbers = async (name: RunDimension, runs: readonly RunTable[]): Promise<readonly (number | null)[]> => {
    const cache = known.get(name) as ValueTrie;
    if (cache.size > mostCached) cache.clear();
    const columns = runDimensions[name];
    const find = (run: RunTable): number | null | undefined => (name === 'api_key' && run.key_id === null ? null : cache.get(columns, run));
    const ids = runs.map(find);
    if (!ids.includes(undefined)) return ids as readonly (number | null)[];
    const missing = runs.filter((_run, index) => ids[index] === undefined);
    await insert(name, missing);
    return runs.map((run) => find(run) ?? null);
  };

  return {
    async idsOf(runs) {
      const columns = {} as Record<RunDimension, readonly (number | null)[]>;
      for (const name of dimensionNames) columns[name] = await numbers(name, runs);
      return columns;
    },
    forget() {
      for (const cache of known.values()) cache.clear();
    },
  };
}
