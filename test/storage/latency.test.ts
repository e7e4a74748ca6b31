import { expect, it } from 'vitest';
import { latencyOf } from '../../src/storage/latency.ts';
import { latencyBounds } from '../../src/storage/migrations/rollup-sums.ts';

const histogram = (values: readonly number[]): number[] => {
  const counts = Array.from({ length: latencyBounds.length + 1 }, () => 0);
  for (const value of values) {
    const index = latencyBounds.findIndex((bound) => value <= bound);
    counts[index === -1 ? latencyBounds.length : index]!++;
  }
  return counts;
};

it('estimates quantiles within the bucket of the exact value', () => {
  const values = Array.from({ length: 1_000 }, (_value, index) => Math.round(30 * 1.008 ** index));
  const { count, p50_ms: p50, p95_ms: p95 } = latencyOf(histogram(values), 0);
  expect(count).toBe(1_000);
  expect(p50).toBeGreaterThan((values[500] as number) * 0.9);
  expect(p50).toBeLessThan((values[500] as number) * 1.1);
  expect(p95).toBeGreaterThan((values[950] as number) * 0.9);
  expect(p95).toBeLessThan((values[950] as number) * 1.1);
});

it('gives the last bound for longer values, and nothing without values', () => {
  expect(latencyOf(histogram([1_000_000]), 1_000_000)).toEqual({ count: 1, mean_ms: 1_000_000, p50_ms: 204_800, p95_ms: 204_800 });
  expect(latencyOf(histogram([]), 0)).toEqual({ count: 0, mean_ms: null, p50_ms: null, p95_ms: null });
});
