/** Interrupts synchronous work after a time limit. */
import { createContext, Script } from 'node:vm';

/** The work was interrupted. */
export class TimeLimitExceeded extends Error {}

const place: { work: (() => void) | null } = { work: null };
const context = createContext(place);
const script = new Script('work()');

/**
 * Runs `work` for at most `ms` milliseconds on the calling thread. Throws what `work` throws, or TimeLimitExceeded.
 * Interrupted work skips its `finally` blocks, so it must not change state that others read.
 */
export function withTimeLimit<T>(ms: number, work: () => T): T {
  const result: { value?: T } = {};
  place.work = () => {
    result.value = work();
  };
  try {
    // Only `node:vm` can interrupt running code. `work` remains a function of this realm.
    script.runInContext(context, { timeout: ms });
    return result.value as T;
  } catch (thrown) {
    // An Error of the other realm: `instanceof` does not recognise it.
    if (typeof thrown === 'object' && thrown !== null && 'code' in thrown && thrown.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT')
      throw new TimeLimitExceeded(`took longer than ${ms} ms`, { cause: thrown });
    throw thrown;
  } finally {
    place.work = null;
  }
}
