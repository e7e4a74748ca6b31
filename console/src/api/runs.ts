/** The ledger: runs, their attempts, and the tree of one call. */
import { call } from './client.ts';

export const outcomes = ['complete', 'error', 'aborted'] as const;
export type Outcome = (typeof outcomes)[number];

export interface RunUsage {
  readonly input_tokens: number;
  readonly output_tokens: number | null;
  readonly cached_input_tokens: number | null;
  readonly reasoning_tokens: number | null;
  /** The vendor reported no counts, so the gateway counted. */
  readonly estimated: boolean;
}

export interface Run {
  readonly id: string;
  readonly parent: string | null;
  readonly root: string;
  readonly request_id: string | null;
  readonly username: string | null;
  readonly subject: string;
  readonly key: string | null;
  readonly capability: string;
  readonly operation: string;
  readonly streamed: boolean;
  readonly started_at: string;
  readonly first_token_at: string | null;
  readonly ended_at: string | null;
  readonly outcome: Outcome;
  readonly error: string | null;
  readonly deployment: string | null;
  readonly usage: RunUsage | null;
  readonly cost: number | null;
  readonly currency: string | null;
}

export interface Attempt {
  readonly number: number;
  readonly deployment: string;
  readonly provider: string | null;
  readonly upstream_model: string | null;
  readonly started_at: string;
  readonly first_token_at: string | null;
  readonly ended_at: string | null;
  readonly outcome: Outcome;
  readonly status: number | null;
  readonly error: string | null;
  /** What the vendor said; for administrators. */
  readonly detail: string | null;
  readonly input_tokens: number | null;
  readonly output_tokens: number | null;
  readonly cost: number | null;
  readonly currency: string | null;
}

export interface RunDetail extends Run {
  readonly attempts: readonly Attempt[];
  /** Kept only where the policy of the gateway says so. */
  readonly content: { readonly input: unknown; readonly output: unknown } | null;
  readonly children: readonly Run[];
}

export interface RunTree extends RunDetail {
  readonly trees: readonly RunTree[];
}

const mostRuns = 100;

const readRun = (id: string, signal: AbortSignal): Promise<RunDetail> =>
  call<RunDetail>('GET', `/api/runs/${encodeURIComponent(id)}`, { signal });

/** The whole call to which the run belongs, from its root down. */
export async function readRunTree(id: string, signal: AbortSignal): Promise<RunTree> {
  let left = mostRuns;
  const grow = async (run: RunDetail): Promise<RunTree> => {
    const chosen = run.children.slice(0, Math.max(0, left));
    left -= chosen.length;
    const details = await Promise.all(chosen.map((child) => readRun(child.id, signal)));
    const trees = await Promise.all(details.map(grow));
    return { ...run, trees: trees.toSorted((one, other) => (one.started_at < other.started_at ? -1 : 1)) };
  };
  const found = await readRun(id, signal);
  if (found.parent === null) return grow(found);
  // The reader may see an inner run without its root, as on behalf of a publisher.
  return grow(await readRun(found.root, signal).catch(() => found));
}

/** Milliseconds between two moments; null while the second has not come. */
export function between(start: string, end: string | null): number | null {
  return end === null ? null : Date.parse(end) - Date.parse(start);
}
