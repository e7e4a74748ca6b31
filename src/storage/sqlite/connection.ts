/** The main thread's end of the SQLite thread. */
import { Worker } from 'node:worker_threads';
import { GatewayError } from '../../types/errors.ts';
import type { SqliteValue, WorkerNotice, WorkerReply } from './protocol.ts';

export interface SqliteResult {
  readonly rows: readonly unknown[];
  readonly changes: number;
}

interface Waiting {
  resolve(result: SqliteResult): void;
  reject(error: Error): void;
}

/** SQLite's own result codes that mean: the file cannot be used. */
const unusable: Readonly<Record<number, string>> = {
  8: 'the file or its folder is read-only',
  10: 'the disk reports an error',
  11: 'the file is damaged',
  13: 'the disk is full',
  14: 'the file cannot be opened',
  23: 'access is denied',
  26: 'the file is not a database',
};

/** A failure of SQLite as the operator should read it. */
export function sqliteError(path: string, error: { message: string; errcode?: number }): Error {
  const reason = unusable[(error.errcode ?? 0) & 0xff] ?? (/readonly/i.test(error.message) ? unusable[8] : undefined);
  if (reason !== undefined) {
    return new GatewayError(
      'storage_unavailable',
      `The database ${path} cannot be used: ${reason}. Check PAILOU_DATA_DIR and the rights on it.`,
      { details: error.message },
    );
  }
  return Object.assign(new Error(error.message), { errcode: error.errcode });
}

export class SqliteConnection {
  readonly #worker: Worker;
  readonly #path: string;
  readonly #waiting = new Map<number, Waiting>();
  readonly #listeners = new Set<() => void>();
  #next = 1;
  #dead: Error | null = null;

  private constructor(worker: Worker, path: string) {
    this.#worker = worker;
    this.#path = path;
    worker.on('message', (message: WorkerReply | WorkerNotice) => this.#receive(message));
    worker.on('error', (error: Error) => this.#die(sqliteError(path, error)));
    worker.on('exit', () => this.#die(new GatewayError('storage_unavailable', 'The database is closed.')));
  }

  /** Opens the file, making it if need be. Rejects with `storage_unavailable` in plain words. */
  static async open(path: string): Promise<SqliteConnection> {
    const worker = new Worker(new URL('./worker.ts', import.meta.url), { workerData: { path }, execArgv: [] });
    await new Promise<void>((resolve, reject) => {
      worker.once('message', () => resolve());
      worker.once('error', (error: Error) => reject(sqliteError(path, error)));
    });
    // The thread must not keep a process alive that is otherwise done.
    worker.unref();
    return new SqliteConnection(worker, path);
  }

  execute(sql: string, parameters: readonly SqliteValue[]): Promise<SqliteResult> {
    return this.#ask((id) => this.#worker.postMessage({ type: 'execute', id, sql, parameters }));
  }

  /** Rows of several tables in one transaction; rows whose key is there already are skipped. */
  async insertMany(batches: readonly { readonly table: string; readonly rows: readonly object[] }[]): Promise<void> {
    const texts = batches.map(({ table, rows }) => ({ table, rows: JSON.stringify(rows) }));
    await this.#ask((id) => this.#worker.postMessage({ type: 'insert-many', id, batches: texts }));
  }

  /** Calls back when another connection, also of another process, has written. */
  watch(listener: () => void, intervalMs: number): () => void {
    this.#listeners.add(listener);
    if (this.#listeners.size === 1) this.#worker.postMessage({ type: 'watch', intervalMs });
    return () => void this.#listeners.delete(listener);
  }

  async close(): Promise<void> {
    if (this.#dead !== null) return;
    await this.#ask((id) => this.#worker.postMessage({ type: 'close', id }));
    await this.#worker.terminate();
  }

  #ask(post: (id: number) => void): Promise<SqliteResult> {
    if (this.#dead !== null) return Promise.reject(this.#dead);
    return new Promise((resolve, reject) => {
      const id = this.#next++;
      this.#waiting.set(id, { resolve, reject });
      this.#worker.ref();
      post(id);
    });
  }

  #receive(message: WorkerReply | WorkerNotice): void {
    if ('changed' in message) {
      for (const listener of this.#listeners) listener();
      return;
    }
    if (!('id' in message)) return;
    const waiting = this.#waiting.get(message.id);
    this.#waiting.delete(message.id);
    if (this.#waiting.size === 0) this.#worker.unref();
    if ('error' in message) waiting?.reject(sqliteError(this.#path, message.error));
    else waiting?.resolve(message);
  }

  #die(error: Error): void {
    this.#dead ??= error;
    for (const waiting of this.#waiting.values()) waiting.reject(this.#dead);
    this.#waiting.clear();
  }
}
