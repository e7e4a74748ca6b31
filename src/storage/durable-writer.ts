/** Writes records off the caller's path, each exactly once: in batches, and by way of the disk while the database is away. Records on disk survive the process. Memory is bounded. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from '../types/logger.ts';
import type { Database, RowBatch } from './database.ts';
import type { RecordState } from './record-state.ts';
import { createSpool } from './spool.ts';

export interface DurableWriter<T> extends AsyncDisposable {
  /** Never throws and never waits. */
  add(record: T): void;
  /** Resolves when everything added before is in the database or on disk. */
  flush(): Promise<void>;
  /** The number of records that are neither in the database nor on disk. */
  readonly pending: number;
  /** Those records, oldest first. */
  unwritten(): readonly T[];
  /** How long the current batch has been under way, in milliseconds; 0 when there is none. */
  readonly batchMs: number;
}

export interface DurableWriterOptions<T, Rows> {
  /** The kind of record for the log, e.g. `runs`. */
  readonly name: string;
  readonly database: Database;
  /** The folder where records wait for the database. */
  readonly folder: string;
  readonly intervalMs: number;
  readonly logger: Logger;
  /** The rows of these records, each with a key, so that a repeated write has no effect. May throw for damaged records. */
  rowsOf(records: readonly T[]): Rows;
  /** Writes the rows in one transaction. Rejects with the driver's error. */
  insert(rows: Rows): Promise<void>;
  /** The approximate size in characters, for records that may be large. */
  sizeOf?(record: T): number;
  /** Called once, with the state that changes from then on. */
  watch?(state: RecordState): void;
}

/** Records per transaction. */
const batchSize = 2_000;
/** Above this number records spill to disk, which is faster than the database. Also the records per file. */
const spoolAbove = 20_000;
/** Above this number records are dropped and counted: database and disk have failed for long. */
const dropAbove = 100_000;
/** The same bounds in characters, for large records. */
const batchWeight = 8 * 1024 * 1024;
const fileWeight = 16 * 1024 * 1024;
const spoolAboveWeight = 64 * 1024 * 1024;
const dropAboveWeight = 256 * 1024 * 1024;
/** A slower database counts as away. A late success does no harm, because records are written once. */
const patienceMs = 2_000;
const retryMs = 2_000;

/** Rejects when `work` exceeds the timeout. Its late end is ignored. */
async function inTime(work: Promise<void>): Promise<void> {
  const over = new AbortController();
  const late = delay(patienceMs, undefined, { signal: over.signal }).then(() => {
    throw new Error(`no answer within ${patienceMs} ms`);
  });
  late.catch(() => {});
  work.catch(() => {});
  try {
    await Promise.race([work, late]);
  } finally {
    over.abort();
  }
}

export function createDurableWriter<T, Rows = readonly RowBatch[]>(options: DurableWriterOptions<T, Rows>): DurableWriter<T> {
  const { name, database, logger } = options;
  const spool = createSpool<T>(options.folder);
  let waiting: T[] = [];
  /** The records of the current batch, and those behind it. */
  let underWay: readonly T[] = [];
  /** When the current batch began, by `performance.now`. */
  let batchBegan = 0;
  let away = false;
  /** Why neither the database nor the disk takes records. */
  let failure: string | null = null;
  /** Dropped records that are not logged yet. */
  let dropped = 0;
  const totals = { spooled: 0, refused: 0, dropped: 0 };
  const sizeOf = (record: T): number => options.sizeOf?.(record) ?? 0;
  /** The size of all pending records. */
  let weight = 0;
  let timer: NodeJS.Timeout | undefined;
  let tail: Promise<void> = Promise.resolve();
  let draining: Promise<void> | null = null;

  /** The first records that fit one batch; at least one. */
  const firstOf = (records: readonly T[], most: number, mostWeight: number): readonly T[] => {
    let sum = 0;
    const end = records.findIndex((record, index) => index >= most || ((sum += sizeOf(record)) > mostWeight && index > 0));
    return end === -1 ? records : records.slice(0, end);
  };
  const done = (records: readonly T[]): void => records.forEach((record) => (weight -= sizeOf(record)));

  /** Finds a record that the database refuses by bisection and sets it aside, so that it does not block the others. */
  const split = async (records: readonly T[], thrown: unknown): Promise<void> => {
    if (records.length > 1) {
      const middle = records.length >> 1;
      await storeWhatFits(records.slice(0, middle));
      return storeWhatFits(records.slice(middle));
    }
    const path = await spool.refuse(records.map((record) => JSON.stringify(record)));
    totals.refused += records.length;
    logger.error({ err: thrown, path }, `the database can never take one of the ${name}; it was put aside`);
  };

  const storeWhatFits = async (records: readonly T[]): Promise<void> => {
    let rows: Rows;
    try {
      rows = options.rowsOf(records);
    } catch (thrown) {
      return split(records, thrown);
    }
    try {
      await options.insert(rows);
    } catch (thrown) {
      if (!database.blamesData(thrown)) throw thrown;
      await split(records, thrown);
    }
  };

  const start = (waitMs: number): void => {
    timer ??= setTimeout(() => {
      flush().catch(() => {});
    }, waitMs);
  };

  const toDisk = async (records: readonly T[]): Promise<void> => {
    try {
      await spool.put(records);
      totals.spooled += records.length;
      done(records);
      failure = null;
    } catch (thrown) {
      if (failure === null) logger.error({ err: thrown }, `the ${name} can be written neither to the database nor to disk; trying again`);
      failure = (thrown as NodeJS.ErrnoException).code ?? 'unknown error';
      // The database may be back before the disk.
      away = false;
      waiting = [...records, ...waiting];
      start(retryMs);
    }
  };

  const writeBatch = async (batch: readonly T[]): Promise<void> => {
    if (!away) {
      try {
        await inTime(storeWhatFits(batch));
        done(batch);
        failure = null;
        return;
      } catch (thrown) {
        if (failure === null) logger.warn({ err: database.explain(thrown) }, `the ${name} cannot be stored; spooling them to disk`);
        away = true;
      }
    }
    await toDisk(batch);
  };

  const writeWaiting = async (): Promise<void> => {
    if (dropped > 0)
      logger.error({ records: dropped }, `${name} were lost: neither the database nor the disk accepted them, and memory was full`);
    dropped = 0;
    let rest: readonly T[] = waiting;
    waiting = [];
    while (rest.length > 0) {
      underWay = rest;
      batchBegan = performance.now();
      const much = away || rest.length > spoolAbove || weight > spoolAboveWeight;
      const part = much ? firstOf(rest, spoolAbove, fileWeight) : firstOf(rest, batchSize, batchWeight);
      await (much ? toDisk(part) : writeBatch(part));
      rest = rest.slice(part.length);
    }
    underWay = [];
  };

  const flush = (): Promise<void> => {
    clearTimeout(timer);
    timer = undefined;
    tail = tail.then(writeWaiting);
    return tail;
  };

  const takeBack = async (records: readonly T[]): Promise<void> => {
    for (let rest = records; rest.length > 0;) {
      const part = firstOf(rest, batchSize, batchWeight);
      await storeWhatFits(part);
      rest = rest.slice(part.length);
    }
  };
  const drain = (): Promise<void> => {
    draining ??= spool
      .drain(takeBack)
      .then((files) => {
        if (files > 0) logger.info({ files }, `the spooled ${name} are in the database`);
        away = false;
      })
      // Still away: the next interval tries again.
      .catch(() => {})
      .finally(() => {
        draining = null;
      });
    return draining;
  };
  const drainer = setInterval(() => {
    drain().catch(() => {});
  }, retryMs);
  drainer.unref();
  // Files of an earlier process.
  drain().catch(() => {});
  options.watch?.({
    name,
    get pending() {
      return waiting.length + underWay.length;
    },
    get spooled() {
      return totals.spooled;
    },
    get refused() {
      return totals.refused;
    },
    get dropped() {
      return totals.dropped;
    },
    get failure() {
      return failure;
    },
    files: () => spool.files(),
  });

  return {
    add(record) {
      const own = sizeOf(record);
      if (waiting.length >= dropAbove || (weight + own > dropAboveWeight && weight > 0)) {
        dropped++;
        totals.dropped++;
        return;
      }
      weight += own;
      waiting.push(record);
      if (waiting.length === batchSize && underWay.length === 0) flush().catch(() => {});
      else start(options.intervalMs);
    },
    flush,
    get pending() {
      return waiting.length + underWay.length;
    },
    unwritten: () => [...underWay, ...waiting],
    get batchMs() {
      return underWay.length === 0 ? 0 : performance.now() - batchBegan;
    },
    async [Symbol.asyncDispose]() {
      clearInterval(drainer);
      await flush();
      // Tries the database once more for what the disk refused.
      if (waiting.length > 0) await flush();
      clearTimeout(timer);
      if (waiting.length > 0)
        logger.error({ records: waiting.length }, `${name} were lost: neither the database nor the disk accepted them`);
      // Bounded: records on disk are safe.
      await inTime(drain()).catch(() => {});
    },
  };
}
