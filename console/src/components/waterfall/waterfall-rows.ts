/** Turns the tree of a call into the rows of a waterfall: runs and attempts in order, each with its place in time. */
import type { Attempt, Outcome, RunTree } from '../../api/runs.ts';

export interface WaterfallRow {
  readonly key: string;
  readonly depth: number;
  readonly kind: 'run' | 'attempt';
  readonly title: string;
  /** `chat`, `tool` and others, of a run. */
  readonly operation: string | null;
  readonly attempt: Attempt | null;
  readonly run: RunTree;
  readonly outcome: Outcome;
  readonly error: string | null;
  /** Shares of the whole call, from 0 to 1. */
  readonly start: number;
  readonly width: number;
  /** The part of the width before the first token; null where no tokens were streamed. */
  readonly wait: number | null;
  readonly milliseconds: number;
}

interface Span {
  readonly started_at: string;
  readonly first_token_at: string | null;
  readonly ended_at: string | null;
}

export function waterfallRows(root: RunTree): readonly WaterfallRow[] {
  const begin = Date.parse(root.started_at);
  const latest = (run: RunTree): number =>
    Math.max(
      Date.parse(run.ended_at ?? run.started_at),
      ...run.trees.map(latest),
      ...run.attempts.map((each) => Date.parse(each.ended_at ?? each.started_at)),
    );
  // A call of no measurable length still has a visible bar.
  const whole = Math.max(1, latest(root) - begin);
  const place = ({ started_at, first_token_at, ended_at }: Span) => {
    const [from, to] = [Date.parse(started_at), ended_at === null ? begin + whole : Date.parse(ended_at)];
    const milliseconds = Math.max(0, to - from);
    const first = first_token_at === null ? null : Date.parse(first_token_at);
    return {
      start: Math.min(1, Math.max(0, (from - begin) / whole)),
      width: milliseconds / whole,
      wait: first === null || milliseconds === 0 ? null : Math.min(1, Math.max(0, (first - from) / milliseconds)),
      milliseconds,
    };
  };
  const rowsOf = (run: RunTree, depth: number): WaterfallRow[] => {
    const own = {
      key: run.id,
      depth,
      kind: 'run' as const,
      title: run.capability,
      operation: run.operation,
      attempt: null,
      run,
      outcome: run.outcome,
      error: run.error,
      ...place(run),
    };
    const attempts = run.attempts.map((attempt) => ({
      key: `${run.id}.${attempt.number}`,
      depth: depth + 1,
      kind: 'attempt' as const,
      title: attempt.deployment,
      operation: null,
      attempt,
      run,
      outcome: attempt.outcome,
      error: attempt.error,
      ...place(attempt),
    }));
    return [own, ...attempts, ...run.trees.flatMap((tree) => rowsOf(tree, depth + 1))];
  };
  return rowsOf(root, 0);
}
