/** The main thread's connection to the SQLite thread. */
import { Worker } from 'node:worker_threads';
import { GatewayError } from '../../types/errors.ts';
import type { RowBatch } from '../database.ts';
import { threadEnvironment } from '../../telemetry/thread-environment.ts';
import { rowsJson } from '../row-json.ts';
import { lost, openError, statementError } from './errors.ts';
import type { SqliteValue, WorkerNotice, WorkerReply, WorkerRequest } from './protocol.ts';

export interface SqliteResult {
  readonly rows: readonly unknown[];
  readonly changes: number;
}

interface Waiting {
  /** The rows so far. */
  readonly rows: unknown[];
  resolve(result: SqliteResult): void;
  reject(error: Error): void;
}

async function startThread(path: string): Promise<Worker> {
  const worker = new Worker(new URL('./worker.ts', import.meta.url), {
    workerData: { path },
    execArgv: [],
    env: threadEnvironment(),
  });
  await new Promise<void>((resolve, reject) => {
    const unavailable = (details: string): GatewayError =>
      new GatewayError('storage_unavailable', 'The thread of the database could not be started.', { details });
    worker.once('message', () => resolve());
    worker.once('error', (error: Error & { errcode?: number }) =>
      reject(error.errcode === undefined ? unavailable(String(error)) : openError(path, error)),
    );
    worker.once('exit', (code) => reject(unavailable(`it ended with ${code}`)));
  });
  // The thread must not keep the process alive.
  worker.unref();
  return worker;
}

/** The connection to one file. If the thread dies, pending statements fail, and `ready` starts another thread. */
export class SqliteConnection {
  readonly #path: string;
  readonly #waiting = new Map<number, Waiting>();
  readonly #listeners = new Set<() => void>();
  #worker: Worker | null = null;
  #watchIntervalMs: number | null = null;
  #next = 1;
  #closed = false;

  private constructor(path: string) {
    this.#path = path;
  }

  /** Opens or creates the file. Rejects with `storage_unavailable` and a plain sentence. */
  static async open(path: string): Promise<SqliteConnection> {
    const connection = new SqliteConnection(path);
    await connection.ready();
    return connection;
  }

  /** Resolves when a thread is running. Call it between transactions, and not concurrently. */
  async ready(): Promise<void> {
    if (this.#closed) throw lost('The database is closed.');
    if (this.#worker !== null) return;
    const worker = await startThread(this.#path);
    worker.on('message', (message: WorkerReply | WorkerNotice) => this.#receive(message));
    worker.on('error', (error: Error) => this.#die(worker, error));
    worker.on('exit', () => this.#die(worker));
    this.#worker = worker;
    if (this.#listeners.size > 0) this.#send(worker, { type: 'watch', intervalMs: this.#watchIntervalMs });
  }

  execute(sql: string, parameters: readonly SqliteValue[]): Promise<SqliteResult> {
    return this.#ask((id) => ({ type: 'execute', id, sql, parameters }));
  }

  /** Inserts rows of several tables in one transaction. Rows with an existing key are skipped. The first row of a table has all columns. */
  async insertMany(batches: readonly RowBatch[]): Promise<void> {
    const texts = batches.map(({ rows, ...batch }) => {
      const columns = Object.keys(rows[0] ?? {});
      return { ...batch, columns, rows: rowsJson(rows.map((row) => columns.map((column) => (row as Record<string, unknown>)[column]))) };
    });
    await this.#ask((id) => ({ type: 'insert-many', id, batches: texts }));
  }

  /** Calls back after a write of another connection, also of another process. */
  watch(listener: () => void, intervalMs: number): () => void {
    this.#listeners.add(listener);
    this.#setWatch(intervalMs);
    return () => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#setWatch(null);
    };
  }

  async close(): Promise<void> {
    this.#closed = true;
    const worker = this.#worker;
    if (worker === null) return;
    // A failure here has been reported before, and the thread ends anyway.
    await this.#ask((id) => ({ type: 'close', id })).catch(() => {});
    await worker.terminate();
  }

  #setWatch(intervalMs: number | null): void {
    if (this.#watchIntervalMs === intervalMs) return;
    this.#watchIntervalMs = intervalMs;
    if (this.#worker !== null) this.#send(this.#worker, { type: 'watch', intervalMs });
  }

  #send(worker: Worker, request: WorkerRequest): void {
    worker.postMessage(request);
  }

  #ask(request: (id: number) => WorkerRequest): Promise<SqliteResult> {
    const worker = this.#worker;
    if (worker === null) return Promise.reject(lost(this.#closed ? 'The database is closed.' : 'The thread of the database has died.'));
    return new Promise((resolve, reject) => {
      const id = this.#next++;
      this.#send(worker, request(id));
      this.#waiting.set(id, { rows: [], resolve, reject });
      worker.ref();
    });
  }

  #receive(message: WorkerReply | WorkerNotice): void {
    if ('changed' in message) {
      for (const listener of this.#listeners) listener();
      return;
    }
    if (!('id' in message)) return;
    const waiting = this.#waiting.get(message.id);
    if ('more' in message) {
      waiting?.rows.push(...message.rows);
      // In a turn of its own, so that other work comes between two parts of a large result.
      setImmediate(() => this.#worker?.postMessage({ type: 'more', id: message.id } satisfies WorkerRequest));
      return;
    }
    this.#waiting.delete(message.id);
    if (this.#waiting.size === 0) this.#worker?.unref();
    if ('error' in message) waiting?.reject(statementError(this.#path, message.error));
    else waiting?.resolve(waiting.rows.length === 0 ? message : { rows: [...waiting.rows, ...message.rows], changes: 0 });
  }

  #die(worker: Worker, error?: Error): void {
    if (this.#worker !== worker) return;
    this.#worker = null;
    const reason = lost(this.#closed ? 'The database is closed.' : 'The thread of the database has died.', error);
    for (const waiting of this.#waiting.values()) waiting.reject(reason);
    this.#waiting.clear();
  }
}
