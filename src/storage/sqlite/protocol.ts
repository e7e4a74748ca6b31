/** The messages between the main thread and the SQLite thread. */

export type SqliteValue = string | number | bigint | null | Uint8Array;

export interface InsertBatch {
  readonly table: string;
  readonly columns: readonly string[];
  /** JSON: an array of values for each row, in the order of `columns`. */
  readonly rows: string;
  /** The view into which the last rowid before the batch is inserted; its trigger sums the new rows. */
  readonly summedBy?: string;
  /** The columns of bytes, in hexadecimal after `\\x`. */
  readonly bytes?: readonly string[];
}

export type WorkerRequest =
  | { readonly type: 'execute'; readonly id: number; readonly sql: string; readonly parameters: readonly SqliteValue[] }
  /** One transaction. Passing a string to a thread is cheaper than passing objects. */
  | { readonly type: 'insert-many'; readonly id: number; readonly batches: readonly InsertBatch[] }
  /** The next rows of a statement whose reply had `more`. */
  | { readonly type: 'more'; readonly id: number }
  /** Null ends the watch. */
  | { readonly type: 'watch'; readonly intervalMs: number | null }
  | { readonly type: 'close'; readonly id: number };

export type WorkerReply =
  | { readonly id: number; readonly rows: readonly unknown[]; readonly changes: number; readonly more?: true }
  | { readonly id: number; readonly error: { readonly message: string; readonly errcode: number } };

export type WorkerNotice = { readonly ready: true } | { readonly changed: true };
