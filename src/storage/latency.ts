/** Latencies from the histograms of roll-ups. */
import { latencyBounds } from './migrations/rollup-sums.ts';

export interface Latency {
  /** The number of measured runs. */
  readonly count: number;
  readonly mean_ms: number | null;
  readonly p50_ms: number | null;
  readonly p95_ms: number | null;
}

/**
 * The value below which `share` of the counted values lie, within the accuracy of a bucket. Bounds double, so the position inside a bucket is
 * taken from its logarithm. Values of the last bucket are longer than the last bound, which is returned for them. Null without values.
 */
function quantile(counts: readonly number[], total: number, share: number): number | null {
  if (total === 0) return null;
  const rank = share * total;
  let below = 0;
  for (const [index, count] of counts.entries()) {
    const upper = latencyBounds[index];
    if (upper === undefined) break;
    if (count > 0 && below + count >= rank) {
      const lower = index === 0 ? 0 : (latencyBounds[index - 1] as number);
      const part = (rank - below) / count;
      return Math.round(lower === 0 ? upper * part : lower * (upper / lower) ** part);
    }
    below += count;
  }
  return latencyBounds.at(-1) as number;
}

/** `counts`: one for each bucket. */
export function latencyOf(counts: readonly number[], sumMs: number): Latency {
  const count = counts.reduce((sum, each) => sum + each, 0);
  return {
    count,
    mean_ms: count === 0 ? null : Math.round(sumMs / count),
    p50_ms: quantile(counts, count, 0.5),
    p95_ms: quantile(counts, count, 0.95),
  };
}
