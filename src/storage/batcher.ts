/** Collects records and writes them in batches off the caller's path; in order, one batch at a time. */

export interface Batcher<T> extends AsyncDisposable {
  /** Never throws, never waits. */
  add(record: T): void;
  /** Resolves when everything added before has been handed to `write`. */
  flush(): Promise<void>;
  readonly pending: number;
}

/** `write` must settle every record of its batch itself: whatever it throws is lost. */
export function createBatcher<T>(options: {
  readonly intervalMs: number;
  readonly maxBatch: number;
  write(batch: readonly T[]): Promise<void>;
}): Batcher<T> {
  let waiting: T[] = [];
  let underWay = 0;
  let timer: NodeJS.Timeout | undefined;
  let tail: Promise<void> = Promise.resolve();

  const flush = (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    if (waiting.length > 0) {
      const batch = waiting;
      waiting = [];
      underWay += batch.length;
      tail = tail.then(() => options.write(batch)).finally(() => (underWay -= batch.length));
    }
    return tail;
  };

  const flushLater = (): void => {
    flush().catch(() => {});
  };

  return {
    add(record) {
      waiting.push(record);
      if (waiting.length >= options.maxBatch) flushLater();
      else timer ??= setTimeout(flushLater, options.intervalMs);
    },
    flush,
    get pending() {
      return waiting.length + underWay;
    },
    [Symbol.asyncDispose]: flush,
  };
}
