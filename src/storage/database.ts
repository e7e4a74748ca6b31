/** The database interface for SQLite and PostgreSQL. */
import type { Kysely } from 'kysely';
import type { GatewayError } from '../types/errors.ts';
import type { Logger } from '../types/logger.ts';
import type { Schema } from './schema.ts';

export interface Database {
  readonly kind: 'sqlite' | 'postgres';
  /** A failed statement rejects with the driver's error: pass it through `explain`. */
  readonly query: Kysely<Schema>;
  /**
   * A pool whose statements have no limit of time, for migrations, which may read whole tables. A statement ends when its process does, and fails
   * after a wait of `lockPatienceMs` for a lock (0: never). The caller destroys it. Absent where no statement has a limit.
   */
  readonly patient?: (lockPatienceMs?: number) => Kysely<Schema>;
  /** Inserts rows of several tables in one transaction and skips existing keys. Efficient for many rows. */
  insertMany(batches: readonly RowBatch[]): Promise<void>;
  /** Rejects with `storage_unavailable` when no statement can run. */
  ping(): Promise<void>;
  /** Calls back when another process may have changed the configuration. Returns the function that stops it. */
  watch(listener: () => void): () => void;
  /** Notifies the other processes when the transaction commits. */
  notify(query: Kysely<Schema>): Promise<void>;
  /** Sends a text of at most 7,900 bytes to every process that listens, this one included. Absent where one process alone writes runs (SQLite). */
  readonly notifyNodes?: (text: string) => Promise<void>;
  /** Calls back with each such text, and with null when some may have been missed. Returns the function that stops it. */
  readonly listenNodes?: (received: (text: string | null) => void) => () => void;
  /** Maps a failure to a GatewayError with a plain sentence. */
  explain(thrown: unknown): GatewayError;
  /** True when the failure lies in the rows, so that a retry cannot help. */
  blamesData(thrown: unknown): boolean;
  close(): Promise<void>;
}

/** Rows of one table with the same columns. */
export interface RowBatch {
  readonly table: keyof Schema;
  readonly rows: readonly object[];
  /** On SQLite, the view whose trigger adds the inserted rows to sums. PostgreSQL has a trigger on the table itself. */
  readonly summedBy?: string;
  /** The columns of bytes. Their values are in the hexadecimal notation of PostgreSQL, e.g. `\\x0a`. */
  readonly bytes?: readonly string[];
}

export interface DatabaseOptions {
  /** `postgres://…`, `sqlite:<file>`, or null for SQLite in the data directory. */
  readonly url: string | null;
  readonly dataDir: string;
  readonly logger: Logger;
  /** For a gateway: refuses a SQLite file on which another gateway runs. Absent: for commands, which may work beside it. */
  readonly forGateway?: boolean;
}
