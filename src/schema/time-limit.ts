/** Work that never gives way by itself, ended after its time wherever it is just then. */
import { createContext, Script } from 'node:vm';

/** The work was broken off. */
export class TimeLimitExceeded extends Error {}

const place: { work: (() => void) | null } = { work: null };
const context = createContext(place);
const script = new Script('work()');

/**
 * Throws what `work` throws, or TimeLimitExceeded. The whole process waits meanwhile, so `ms` is to be small; `work` keeps nothing half done
 * that anybody else reads, for it may be left in the middle without its `finally`.
 */
export function withTimeLimit<T>(ms: number, work: () => T): T {
  const result: { value?: T } = {};
  place.work = () => {
    result.value = work();
  };
  try {
    // Only node's `vm` can end what runs; the work itself stays a function of this realm.
    script.runInContext(context, { timeout: ms });
    return result.value as T;
  } catch (thrown) {
    // An Error of the other realm, which no `instanceof` here knows.
    if (typeof thrown === 'object' && thrown !== null && 'code' in thrown && thrown.code === 'ERR_SCRIPT_EXECUTION_TIMEOUT')
      throw new TimeLimitExceeded(`took longer than ${ms} ms`, { cause: thrown });
    throw thrown;
  } finally {
    place.work = null;
  }
}
