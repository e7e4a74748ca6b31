/**
 * The runs that nodes have just written to the ledger, for those who follow them live (decision 67). Runs of this node come from its own writer.
 * On PostgreSQL a node that follows asks the others every few seconds; those then notify it of the ids that they write, and it reads their rows.
 */
import { randomBytes } from 'node:crypto';
import type { Logger } from '../types/logger.ts';
import type { Database } from './database.ts';
import { createRunRows } from './run-rows.ts';
import type { RunTable } from './schema.ts';

export interface RunListener {
  /** A run may come twice, when the database confirmed its first write late. */
  runs(rows: readonly RunTable[]): void;
  /** Runs may have been missed. */
  missed(): void;
}

export interface RunFeed extends Disposable {
  /** Runs that this node has written. */
  stored(rows: readonly RunTable[]): void;
  /** Returns the function that stops it. */
  follow(listener: RunListener): () => void;
}

/** How often a node that follows asks the others, and how long they notify after each. */
const askMs = 5_000;
const notifyForMs = 15_000;
/** Ids in one notification of PostgreSQL, which holds 8,000 bytes: ids have at most 64. */
const idsAtOnce = 100;
const rowsAtOnce = 500;
/** More runs of other nodes than this wait for no reader: they are reported as missed. */
const mostWaiting = 5_000;

export function createRunFeed(database: Database, logger: Logger): RunFeed {
  const node = randomBytes(6).toString('hex');
  const found = createRunRows(database);
  const listeners = new Set<RunListener>();
  let waiting: string[] = [];
  let reading = false;
  let notifyUntil = -Infinity;
  let asking: NodeJS.Timeout | undefined;

  const missed = (): void => listeners.forEach((listener) => listener.missed());
  const notify = (text: string): void => {
    database
      .notifyNodes?.(text)
      .catch((thrown: unknown) => logger.debug({ reason: String(thrown) }, 'other nodes were not notified of runs'));
  };
  const ask = (): void => notify(`follow ${node}`);

  const readWaiting = async (): Promise<void> => {
    while (waiting.length > 0 && listeners.size > 0) {
      const ids = waiting.slice(0, rowsAtOnce);
      waiting = waiting.slice(rowsAtOnce);
      const rows = await found.byIds(ids);
      listeners.forEach((listener) => listener.runs(rows));
    }
  };
  const written = (ids: readonly string[]): void => {
    if (waiting.length + ids.length > mostWaiting) {
      waiting = [];
      missed();
      return;
    }
    waiting.push(...ids);
    if (reading) return;
    reading = true;
    readWaiting()
      .catch(() => {
        waiting = [];
        missed();
      })
      .finally(() => (reading = false));
  };

  const stop = database.listenNodes?.((text) => {
    if (text === null) {
      notify(`joined ${node}`);
      if (listeners.size > 0) ask();
      missed();
      return;
    }
    const [act, sender, ...ids] = text.split(' ');
    if (sender === node) return;
    // A node that joined missed who follows.
    if (act === 'joined' && listeners.size > 0) ask();
    if (act === 'follow') notifyUntil = performance.now() + notifyForMs;
    else if (act === 'runs' && listeners.size > 0) written(ids);
  });

  return {
    stored(rows) {
      listeners.forEach((listener) => listener.runs(rows));
      if (performance.now() >= notifyUntil) return;
      for (let start = 0; start < rows.length; start += idsAtOnce) {
        const ids = rows.slice(start, start + idsAtOnce).map(({ id }) => id);
        notify(`runs ${node} ${ids.join(' ')}`);
      }
    },
    follow(listener) {
      listeners.add(listener);
      if (asking === undefined && database.notifyNodes !== undefined) {
        ask();
        asking = setInterval(ask, askMs).unref();
      }
      return () => {
        listeners.delete(listener);
        if (listeners.size > 0) return;
        clearInterval(asking);
        asking = undefined;
        waiting = [];
      };
    },
    [Symbol.dispose]() {
      clearInterval(asking);
      listeners.clear();
      stop?.();
    },
  };
}
