/** Much work on few hands, told as it goes. */
import type { ChatEvent, StepRecord } from '../../../types/chat.ts';

/** So much at a time is kind to vendors, and mostly enough. */
export const defaultConcurrency = 4;

/** Does `work` on each, `hands` at a time, in any order; yields a step after each, which tells `how` it ended; returns the results in order. */
export async function* runConcurrently<T, R>(
  items: readonly T[],
  hands: number,
  what: string,
  work: (item: T, index: number) => Promise<R>,
  how: (result: R) => Pick<StepRecord, 'status' | 'error'> = () => ({ status: 'completed' }),
): AsyncGenerator<readonly ChatEvent[], R[]> {
  const results: R[] = [];
  const running = new Map<number, Promise<number>>();
  let next = 0;
  let done = 0;
  while (done < items.length) {
    while (next < items.length && running.size < hands) {
      const index = next++;
      const working = work(items[index] as T, index).then((result) => {
        results[index] = result;
        return index;
      });
      // The first failure is told; what fails beside it has nobody left to tell.
      working.catch(() => {});
      running.set(index, working);
    }
    const index = await Promise.race(running.values());
    running.delete(index);
    done++;
    const ended = how(results[index] as R);
    yield [{ type: 'step', step: { id: `${what} ${done}/${items.length}`, kind: 'progress', capability: what, ...ended } }];
  }
  return results;
}
