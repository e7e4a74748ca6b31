/** Booked runs as the tree that they were: skill, model, tool, skill. */
import type { RunSummary } from '../../storage/runs.ts';

export type RunNode = RunSummary & { readonly calls: readonly RunNode[] };

/** The run `id` with all that it called, in the order in which it began; null while it is not booked yet. */
export function runTree(id: string, runs: readonly RunSummary[]): RunNode | null {
  const byParent = Map.groupBy(runs, (run) => run.parent ?? '');
  const nodeOf = (run: RunSummary): RunNode => ({
    ...run,
    calls: (byParent.get(run.id) ?? []).toSorted((one, other) => ((one.started_at ?? '') < (other.started_at ?? '') ? -1 : 1)).map(nodeOf),
  });
  const top = runs.find((run) => run.id === id);
  return top === undefined ? null : nodeOf(top);
}
