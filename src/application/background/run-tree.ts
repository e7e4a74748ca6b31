/** Builds the tree of recorded runs: skill, model, tool, skill. */
import type { RunEntry } from '../../storage/run-reader.ts';
import { amountNumber, type Femto, parseAmount } from '../../types/money.ts';

/** A run with its child runs in order of their start, and its retained content. */
export type RunNode = Omit<RunEntry, 'content'> & Partial<NonNullable<RunEntry['content']>> & { readonly calls: readonly RunNode[] };

export interface RunForest {
  /** The run `id` with its child runs. Null until it is recorded. */
  run(id: string): RunNode | null;
  /** The recorded child runs of `id`. */
  callsOf(id: string): readonly RunNode[];
}

/** Leaves out vendors' messages, which are for operators. */
export function runForest(runs: readonly RunEntry[]): RunForest {
  const byParent = Map.groupBy(runs, (run) => run.parent ?? '');
  const nodeOf = ({ content, attempts, ...run }: RunEntry): RunNode => ({
    ...run,
    attempts: attempts.map((attempt) => ({ ...attempt, detail: null })),
    ...content,
    calls: callsOf(run.id),
  });
  const callsOf = (id: string): readonly RunNode[] => (byParent.get(id) ?? []).map(nodeOf);
  return {
    run(id) {
      const top = runs.find((run) => run.id === id);
      return top === undefined ? null : nodeOf(top);
    },
    callsOf,
  };
}

/** The sum of a tree. `priced` is false when a run has no price; its cost is then missing. */
export interface TreeSum {
  readonly input_tokens: number;
  readonly output_tokens: number;
  /** Amounts, by currency. */
  readonly cost: Readonly<Record<string, number>>;
  readonly priced: boolean;
}

export function sumOf(runs: readonly RunEntry[]): TreeSum {
  const cost: Record<string, Femto> = {};
  let [input, output, priced] = [0, 0, true];
  for (const run of runs) {
    if (run.usage === null) continue;
    input += Number(run.usage.input_tokens);
    output += Number(run.usage.output_tokens ?? 0);
    if (run.cost === null) priced = false;
    else if (run.cost > 0 && run.currency !== null) cost[run.currency] = (cost[run.currency] ?? 0n) + (parseAmount(run.cost) ?? 0n);
  }
  const amounts = Object.fromEntries(Object.entries(cost).map(([currency, amount]) => [currency, amountNumber(amount)]));
  return { input_tokens: input, output_tokens: output, cost: amounts, priced };
}
