/** The thread that owns the SQLite file. No SQLite call runs on the main thread. */
import { DatabaseSync, type StatementSync } from 'node:sqlite';
import { parentPort, workerData } from 'node:worker_threads';
import type { SqliteValue, WorkerReply, WorkerRequest } from './protocol.ts';

const { path } = workerData as { path: string };
const port = parentPort;
if (port === null) throw new Error('this file runs as a worker thread');

const database = new DatabaseSync(path, { timeout: 5_000 });
// Only a new file can be made so: deleted rows give their pages back in small steps.
if (database.prepare('PRAGMA page_count').get()?.['page_count'] === 0) database.exec('PRAGMA auto_vacuum = INCREMENTAL;');
// FULL: a commit is on disk before it is confirmed, even on power failure. In this thread and in batches the cost is small.
database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA foreign_keys = ON;');

/** Cached prepared statements: preparing costs more than most executions. */
const maxStatements = 256;
const statements = new Map<string, StatementSync>();

function prepared(sql: string): StatementSync {
  let statement = statements.get(sql);
  if (statement === undefined) {
    if (statements.size >= maxStatements) statements.clear();
    statement = database.prepare(sql);
    statements.set(sql, statement);
  }
  return statement;
}

/** Reads integers beyond 2^53 as bigint, for the reader to check. Otherwise SQLite would refuse the whole result. */
function rowsOf(statement: StatementSync, parameters: readonly SqliteValue[]): readonly unknown[] {
  try {
    return statement.all(...parameters);
  } catch (thrown) {
    if ((thrown as { code?: string }).code !== 'ERR_OUT_OF_RANGE') throw thrown;
  }
  statement.setReadBigInts(true);
  try {
    return statement
      .all(...parameters)
      .map((row) => Object.fromEntries(Object.entries(row).map(([name, value]) => [name, narrowed(value)])));
  } finally {
    statement.setReadBigInts(false);
  }
}

function narrowed(value: unknown): unknown {
  return typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value;
}

/** Rows in one message: more would hold the main thread while it copies them. */
const rowsAtOnce = 200;
/** Results that are not sent completely, by request, and the number of sent rows. */
const unsent = new Map<number, { readonly rows: readonly unknown[]; readonly sent: number }>();

function partOf(id: number, rows: readonly unknown[], sent: number): WorkerReply {
  const end = sent + rowsAtOnce;
  if (rows.length <= end) {
    unsent.delete(id);
    return { id, rows: sent === 0 ? rows : rows.slice(sent), changes: 0 };
  }
  unsent.set(id, { rows, sent: end });
  return { id, rows: rows.slice(sent, end), changes: 0, more: true };
}

function moreRows({ id }: Extract<WorkerRequest, { type: 'more' }>): WorkerReply {
  const { rows, sent } = unsent.get(id) ?? { rows: [], sent: 0 };
  return partOf(id, rows, sent);
}

function execute(request: Extract<WorkerRequest, { type: 'execute' }>): WorkerReply {
  // SQLite rolls back itself on some failures (disk full, I/O error). A second rollback would hide the first error.
  if (request.sql === 'rollback' && !database.isTransaction) return { id: request.id, rows: [], changes: 0 };
  // Such a statement gives one page back each time that it is stepped, and `run` steps it once.
  if (request.sql.startsWith('pragma incremental_vacuum')) {
    database.exec(request.sql);
    return { id: request.id, rows: [], changes: 0 };
  }
  const statement = prepared(request.sql);
  if (statement.columns().length > 0) return partOf(request.id, rowsOf(statement, request.parameters), 0);
  const result = statement.run(...request.parameters);
  return { id: request.id, rows: [], changes: Number(result.changes) };
}

function insertMany(request: Extract<WorkerRequest, { type: 'insert-many' }>): WorkerReply {
  database.exec('begin immediate');
  try {
    for (const { table, columns, rows, summedBy, bytes } of request.batches) {
      const last = summedBy === undefined ? undefined : prepared(`select coalesce(max(rowid), 0) as last from ${table}`).get()?.['last'];
      const places = columns.map((column) => (bytes?.includes(column) === true ? 'unhex(substr(?, 3))' : '?')).join(', ');
      const statement = prepared(
        `insert into ${table} (${columns.map((column) => `"${column}"`).join(', ')}) values (${places}) on conflict do nothing`,
      );
      for (const values of JSON.parse(rows) as SqliteValue[][]) statement.run(...values);
      if (last !== undefined) prepared(`insert into ${summedBy} (after_rowid) values (?)`).run(last);
    }
    database.exec('commit');
  } catch (thrown) {
    if (database.isTransaction) database.exec('rollback');
    throw thrown;
  }
  return { id: request.id, rows: [], changes: 0 };
}

/** Increases when another connection, also of another process, has committed. */
function dataVersion(): number {
  return Number(prepared('PRAGMA data_version').get()?.['data_version'] ?? 0);
}

let watched: NodeJS.Timeout | undefined;

function watch(intervalMs: number | null): void {
  clearInterval(watched);
  if (intervalMs === null) return;
  // A write before the watch began counts as a change.
  let known = -1;
  watched = setInterval(() => {
    let now = known;
    try {
      now = dataVersion();
    } catch {
      // The file is locked or away now; the next poll tries again.
    }
    if (now === known) return;
    known = now;
    port?.postMessage({ changed: true });
  }, intervalMs);
}

port.on('message', (request: WorkerRequest) => {
  if (request.type === 'watch') {
    watch(request.intervalMs);
    return;
  }
  if (request.type === 'close') {
    clearInterval(watched);
    database.close();
    port.postMessage({ id: request.id, rows: [], changes: 0 });
    port.close();
    return;
  }
  let reply: WorkerReply;
  try {
    if (request.type === 'more') reply = moreRows(request);
    else reply = request.type === 'insert-many' ? insertMany(request) : execute(request);
  } catch (thrown) {
    const error = thrown as Error & { errcode?: number };
    reply = { id: request.id, error: { message: error.message, errcode: error.errcode ?? 0 } };
  }
  port.postMessage(reply);
});

port.postMessage({ ready: true });
