/** A fair queue: bounds concurrency per key. A slot goes to the waiter whose owner holds the fewest, then to the oldest waiter. */

export interface Waiting {
  /** Takes the waiter out of the queue. */
  readonly signal: AbortSignal;
  /** The owner of the waiter. Fairness is between owners. */
  readonly who?: string;
}

/** Resolves with the function that releases the slot. Rejects with the signal's reason when the waiter leaves first. */
export type AcquireSlot = (waiting: Waiting) => Promise<() => void>;

export interface FairQueue {
  /** At most `most` slots of the same key are held at a time. */
  take(key: string, most: number, waiting: Waiting): ReturnType<AcquireSlot>;
}

/** A fair queue with a single key. */
export function createSlots(most: number): AcquireSlot {
  const turns = createFairQueue();
  return (waiting) => turns.take('', most, waiting);
}

interface Place {
  readonly who: string;
  go(): void;
}

interface Queue {
  count: number;
  /** The number of held slots by owner. */
  readonly held: Map<string, number>;
  readonly waiting: Set<Place>;
}

function hold({ held }: Queue, who: string, more: 1 | -1): void {
  const count = (held.get(who) ?? 0) + more;
  if (count === 0) held.delete(who);
  else held.set(who, count);
}

function nextIn({ held, waiting }: Queue): Place | null {
  let best: Place | null = null;
  for (const place of waiting) if (best === null || (held.get(place.who) ?? 0) < (held.get(best.who) ?? 0)) best = place;
  return best;
}

function waitIn(queue: Queue, who: string, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const leave = (): void => {
      queue.waiting.delete(place);
      reject(signal.reason as Error);
    };
    const place: Place = {
      who,
      go() {
        queue.waiting.delete(place);
        signal.removeEventListener('abort', leave);
        hold(queue, who, 1);
        resolve();
      },
    };
    queue.waiting.add(place);
    signal.addEventListener('abort', leave, { once: true });
  });
}

export function createFairQueue(): FairQueue {
  const queues = new Map<string, Queue>();
  return {
    async take(key, most, { signal, who = '' }) {
      signal.throwIfAborted();
      let queue = queues.get(key);
      if (queue === undefined) queues.set(key, (queue = { count: 0, held: new Map(), waiting: new Set() }));
      const own = queue;
      if (own.count >= most) await waitIn(own, who, signal);
      else {
        own.count++;
        hold(own, who, 1);
      }
      let isOver = false;
      return () => {
        if (isOver) return;
        isOver = true;
        hold(own, who, -1);
        const next = nextIn(own);
        if (next !== null) return next.go();
        own.count--;
        if (own.count === 0) queues.delete(key);
      };
    },
  };
}
