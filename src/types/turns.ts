/** So many at once and no more; who comes later waits, in the order in which they came. */

/** Resolves with the way to end the turn; rejects with the signal's reason for who leaves before. */
export type TakeTurn = (signal: AbortSignal) => Promise<() => void>;

export interface Turns {
  /** At most `most` at once of those that name the same key. */
  take(key: string, most: number, signal: AbortSignal): ReturnType<TakeTurn>;
}

/** Turns of which there is one kind only. */
export function turnsOf(most: number): TakeTurn {
  const turns = createTurns();
  return (signal) => turns.take('', most, signal);
}

export function createTurns(): Turns {
  const active = new Map<string, { count: number; readonly waiting: Set<() => void> }>();
  return {
    async take(key, most, signal) {
      signal.throwIfAborted();
      let turns = active.get(key);
      if (turns === undefined) active.set(key, (turns = { count: 0, waiting: new Set() }));
      const { waiting } = turns;
      if (turns.count >= most) {
        await new Promise<void>((resolve, reject) => {
          const leave = (): void => {
            waiting.delete(go);
            reject(signal.reason as Error);
          };
          const go = (): void => {
            signal.removeEventListener('abort', leave);
            resolve();
          };
          waiting.add(go);
          signal.addEventListener('abort', leave, { once: true });
        });
      } else turns.count++;
      let isOver = false;
      const own = turns;
      return () => {
        if (isOver) return;
        isOver = true;
        // The turn goes on to the one who waits longest.
        const [next] = waiting;
        if (next !== undefined) {
          waiting.delete(next);
          next();
          return;
        }
        own.count--;
        if (own.count === 0) active.delete(key);
      };
    },
  };
}
