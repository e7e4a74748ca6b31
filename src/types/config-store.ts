/** What the configuration service needs of the database. Implemented once in `storage/`, over SQLite and PostgreSQL alike. */
import type { ConfigRow, ResourceKind } from './resources.ts';

/** One row written or removed at one revision. `before` is null on create, `after` null on delete. */
export interface ConfigChange {
  readonly kind: ResourceKind;
  readonly tenant: string;
  readonly before: ConfigRow | null;
  readonly after: ConfigRow | null;
}

export interface Actor {
  /** The person as rows name them (`types/person.ts`), or `pailou`. */
  readonly subject: string;
  readonly username: string;
  readonly tenant: string;
  readonly requestId: string;
  /** What an administrator writes is approved: grants by name and by tag reach it. Absent: false. */
  readonly isAdministrator?: boolean;
}

export interface ConfigState {
  readonly revision: number;
  readonly rows: readonly ConfigRow[];
}

export interface HistoryEntry extends ConfigChange {
  readonly revision: number;
  readonly at: string;
  readonly actor: string;
}

export interface ConfigStore {
  revision(): Promise<number>;
  /** All rows and their revision, read in one transaction. */
  load(): Promise<ConfigState>;
  /** The changes after `revision`, oldest first. */
  changesSince(revision: number): Promise<readonly HistoryEntry[]>;
  /** One tenant's changes after `after`, oldest first, at most `limit`. */
  history(query: { readonly tenant: string; readonly after: number; readonly limit: number }): Promise<readonly HistoryEntry[]>;
  /**
   * Writes the changes as revision `expected + 1`: rows, history and audit in one transaction, then notifies the other processes.
   * Returns the new revision, or null if the database is no longer at `expected` (another process wrote first: reload, check, try again).
   */
  commit(expected: number, changes: readonly ConfigChange[], actor: Actor, summary: string): Promise<number | null>;
  /** Calls back when another process may have committed. Returns the way to stop. Never the only means: the service polls too. */
  watch(listener: () => void): () => void;
}
