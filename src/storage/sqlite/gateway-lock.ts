/** Keeps a second gateway off a SQLite file. The lock is the operating system's, so it ends with its process, also by kill -9. */
import { closeSync, openSync } from 'node:fs';
import { DatabaseSync } from 'node:sqlite';
import { setTimeout as sleep } from 'node:timers/promises';
import { GatewayError } from '../../types/errors.ts';
import { openError } from './errors.ts';

/** SQLite's result code for a file that another connection has locked. */
const busyCode = 5;
/** A gateway that is stopping gives the lock up within these attempts: three seconds. */
const attempts = 60;
const pauseMs = 50;

export interface GatewayLock {
  release(): void;
}

/** The file is busy: another gateway has locked it. */
function isBusy(thrown: unknown): boolean {
  return ((thrown as { errcode?: number }).errcode ?? 0) % 256 === busyCode;
}

/** Readable for its owner only: a reader could lock the file. SQLite reports what prevents its creation. */
function makePrivate(lock: string): void {
  try {
    closeSync(openSync(lock, 'wx', 0o600));
  } catch {
    // It exists already.
  }
}

function tryLock(lock: string): GatewayLock {
  const database = new DatabaseSync(lock);
  try {
    // Without a journal file the lock is one file.
    database.exec('PRAGMA journal_mode = MEMORY; PRAGMA locking_mode = EXCLUSIVE; BEGIN EXCLUSIVE;');
  } catch (thrown) {
    database.close();
    throw thrown;
  }
  return { release: () => database.close() };
}

/** Locks `<path>.lock` until `release`. Rejects with `storage_unavailable` while another gateway holds it. */
export async function lockForGateway(path: string): Promise<GatewayLock> {
  const lock = `${path}.lock`;
  makePrivate(lock);
  for (let attempt = 1; ; attempt++) {
    try {
      return tryLock(lock);
    } catch (thrown) {
      if (!isBusy(thrown)) throw openError(lock, thrown as Error);
      if (attempt === attempts)
        throw new GatewayError(
          'storage_unavailable',
          `Another gateway process runs on the database ${path}. Each of the two would count limits and budgets alone. Stop it, or set PAILOU_DATA_DIR to another folder. Several nodes need PostgreSQL: set PAILOU_DATABASE_URL, e.g. postgres://pailou@db.internal/pailou.`,
          { cause: thrown },
        );
    }
    await sleep(pauseMs);
  }
}
