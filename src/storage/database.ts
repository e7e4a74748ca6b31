/** What the house needs of its database, whichever kind it is. */
import type { Kysely } from 'kysely';
import type { GatewayError } from '../types/errors.ts';
import type { Logger } from '../types/logger.ts';
import type { Schema } from './schema.ts';

export interface Database {
  readonly kind: 'sqlite' | 'postgres';
  /** A failed statement rejects with the driver's own error: pass it through `explain`. */
  readonly query: Kysely<Schema>;
  /** Inserts rows of several tables in one transaction, skipping those whose key is there already. Built for many rows at little cost. */
  insertMany(batches: readonly RowBatch[]): Promise<void>;
  /** Rejects with `storage_unavailable` if no statement can be run. */
  ping(): Promise<void>;
  /** Calls back when another process may have changed the configuration. Returns the way to stop. */
  watch(listener: () => void): () => void;
  /** Tells the other processes, within a transaction: they hear of it when it commits. */
  notify(query: Kysely<Schema>): Promise<void>;
  /** Any failure as a GatewayError in plain words. */
  explain(thrown: unknown): GatewayError;
  /** True if a failure lies in the rows themselves, so that trying again cannot help. */
  blamesData(thrown: unknown): boolean;
  close(): Promise<void>;
}

/** Rows of one table, all with the same columns. */
export interface RowBatch {
  readonly table: keyof Schema;
  readonly rows: readonly object[];
}

export interface DatabaseOptions {
  /** `postgres://…`, `sqlite:<file>`, or null for SQLite in the data directory. */
  readonly url: string | null;
  readonly dataDir: string;
  readonly logger: Logger;
}
