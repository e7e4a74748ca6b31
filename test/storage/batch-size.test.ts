/** How many rows a step of retention deletes, by the time of the step before it. */
import { expect, it } from 'vitest';
import { BatchSize } from '../../src/storage/retention/batch-size.ts';

it('begins small, grows while steps are quick, falls in proportion to a slow one, and never below ten rows', async () => {
  let now = 0;
  const batch = new BatchSize(100, () => now);
  const step = (took: number): Promise<number> =>
    batch.measure(() => {
      now += took;
      return Promise.resolve(batch.size);
    });
  const after = async (...times: readonly number[]): Promise<readonly number[]> => {
    const sizes: number[] = [];
    for (const took of times) sizes.push(await step(took));
    return [...sizes, batch.size];
  };
  expect(await after(1, 1, 1, 1, 1)).toEqual([10, 20, 40, 80, 100, 100]);
  expect(await after(10, 60)).toEqual([100, 100, 25]);
  expect(await after(1, 16)).toEqual([25, 50, 46]);
  expect(await after(5_000, 5_000)).toEqual([46, 10, 10]);
  expect(await after(1)).toEqual([10, 20]);
});

it('keeps its size after a step that failed', async () => {
  const batch = new BatchSize(100);
  await expect(batch.measure(() => Promise.reject(new Error('away')))).rejects.toThrow('away');
  expect(batch.size).toBe(10);
});
