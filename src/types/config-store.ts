/** The database contract of the configuration service. Implemented once in `storage/`, for SQLite and PostgreSQL. */
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
  /** Rows of administrators are approved: grants by name and by tag reach them. Absent: false. */
  readonly isAdministrator?: boolean;
}

export interface ConfigState {
  readonly revision: number;
  readonly rows: readonly ConfigRow[];
}

export interface HistoryEntry extends ConfigChange {
  readonly revision: number;
  /** The number of the change within its revision. */
  readonly sequence: number;
  readonly at: string;
  readonly actor: string;
}

export interface HistoryQuery {
  readonly tenant: string;
  /** Changes of later revisions, and those of this one after `afterSequence` when it is given. */
  readonly after: number;
  readonly afterSequence?: number;
  /** Counts back from the newest change; `after` then names the later end, which is left out. */
  readonly newestFirst?: boolean;
  readonly limit: number;
}

export interface ConfigStore {
  revision(): Promise<number>;
  /** All rows and their revision, read in one transaction. */
  load(): Promise<ConfigState>;
  /** The changes after `revision`, oldest first. */
  changesSince(revision: number): Promise<readonly HistoryEntry[]>;
  /** The first revision whose changes are kept; null without any. */
  oldestChange(): Promise<number | null>;
  /** One tenant's changes, oldest first unless `newestFirst`, at most `limit`. */
  history(query: HistoryQuery): Promise<readonly HistoryEntry[]>;
  /**
   * Writes the changes as revision `expected + 1` in one transaction (rows, history, audit), then notifies the other processes. Returns
   * the new revision. Returns null when the database is no longer at `expected`: reload, validate and try again.
   */
  commit(expected: number, changes: readonly ConfigChange[], actor: Actor, summary: string): Promise<number | null>;
  /** Calls back when another process may have committed. Returns a function that stops it. The service polls too. */
  watch(listener: () => void): () => void;
}
