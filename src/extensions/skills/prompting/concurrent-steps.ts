/** Runs many items with bounded concurrency and reports progress. */
import type { ChatEvent, StepRecord } from '../../../types/chat.ts';

/** The default concurrency for calls to a vendor. */
export const defaultConcurrency = 4;

/** Runs `work` on each item, `concurrency` at a time. Yields a step after each item with the status from `statusOf`. Returns the results in order. */
export async function* runConcurrently<T, R>(
  items: readonly T[],
  concurrency: number,
  name: string,
  work: (item: T, index: number) => Promise<R>,
  statusOf: (result: R) => Pick<StepRecord, 'status' | 'error'> = () => ({ status: 'completed' }),
): AsyncGenerator<readonly ChatEvent[], R[]> {
  const results: R[] = [];
  const running = new Map<number, Promise<number>>();
  let next = 0;
  let done = 0;
  while (done < items.length) {
    while (next < items.length && running.size < concurrency) {
      const index = next++;
      const working = work(items[index] as T, index).then((result) => {
        results[index] = result;
        return index;
      });
      // The first failure is thrown; later ones are expected.
      working.catch(() => {});
      running.set(index, working);
    }
    const index = await Promise.race(running.values());
    running.delete(index);
    done++;
    const ended = statusOf(results[index] as R);
    yield [{ type: 'step', step: { id: `${name} ${done}/${items.length}`, kind: 'progress', capability: name, ...ended } }];
  }
  return results;
}
