/** So many at once and no more; who comes later waits, in order. */

/** Waits for a turn; what comes back ends it. Rejects with the signal's reason for who leaves before. */
export type TakeTurn = (signal: AbortSignal) => Promise<() => void>;

export function turns(most: number): TakeTurn {
  let free = most;
  const waiting = new Set<() => void>();
  const pass = (): void => {
    const [next] = waiting;
    if (next === undefined) free++;
    else {
      waiting.delete(next);
      next();
    }
  };
  return async (signal) => {
    signal.throwIfAborted();
    if (free > 0) free--;
    else {
      const { promise, resolve, reject } = Promise.withResolvers<void>();
      const leave = (): void => {
        waiting.delete(resolve);
        reject(signal.reason as Error);
      };
      signal.addEventListener('abort', leave, { once: true });
      waiting.add(resolve);
      await promise.finally(() => signal.removeEventListener('abort', leave));
    }
    let isOver = false;
    return () => {
      if (!isOver) pass();
      isOver = true;
    };
  };
}
