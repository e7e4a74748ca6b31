/** The live nodes and the revision that each one serves: the proof that a change is everywhere. */
import { randomUUID } from 'node:crypto';
import { hostname } from 'node:os';
import type { Logger } from '../types/logger.ts';
import type { Database } from './database.ts';

export interface Node {
  readonly id: string;
  readonly host: string;
  readonly version: string;
  /** The configuration revision that it serves. */
  readonly revision: number;
  readonly startedAt: number;
  readonly seenAt: number;
}

export interface NodeRegistry extends AsyncDisposable {
  /** The id of this node; new at each start. */
  readonly self: string;
  /** Publishes the revision that this node serves. Never throws and never waits. */
  serves(revision: number): void;
  /** The nodes seen lately. Rejects with `storage_unavailable`. */
  list(): Promise<readonly Node[]>;
}

const beatMs = 5_000;
/** A node that missed three heartbeats is dead. */
const goneMs = 3 * beatMs;

/** The nodes seen lately. Rejects with `storage_unavailable`. */
export async function liveNodes(database: Database): Promise<readonly Node[]> {
  try {
    const rows = await database.query
      .selectFrom('llm_node')
      .selectAll()
      .where('seen_at', '>=', Date.now() - goneMs)
      .orderBy('started_at')
      .execute();
    return rows.map((row) => ({
      id: row.id,
      host: row.host,
      version: row.version,
      revision: row.revision,
      startedAt: row.started_at,
      seenAt: row.seen_at,
    }));
  } catch (thrown) {
    throw database.explain(thrown);
  }
}

export function createNodeRegistry(options: {
  readonly database: Database;
  readonly version: string;
  readonly logger: Logger;
}): NodeRegistry {
  const { database, logger } = options;
  const self = randomUUID();
  const startedAt = Date.now();
  let revision = 0;
  let closed = false;
  let writing: Promise<void> = Promise.resolve();
  let failing = false;

  const write = async (): Promise<void> => {
    const row = { id: self, host: hostname(), version: options.version, revision, started_at: startedAt, seen_at: Date.now() };
    try {
      await database.query
        .insertInto('llm_node')
        .values(row)
        .onConflict((conflict) => conflict.column('id').doUpdateSet({ revision: row.revision, seen_at: row.seen_at }))
        .execute();
      await database.query
        .deleteFrom('llm_node')
        .where('seen_at', '<', Date.now() - 10 * goneMs)
        .execute();
      failing = false;
    } catch (thrown) {
      // The database is away; the next heartbeat publishes it.
      if (!failing) logger.debug({ err: thrown }, 'this node could not be registered');
      failing = true;
    }
  };
  const beat = (): void => {
    writing = writing.then(() => (closed ? undefined : write()));
  };
  const timer = setInterval(beat, beatMs);
  timer.unref();

  return {
    self,
    serves(next) {
      revision = next;
      beat();
    },
    list: () => liveNodes(database),
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      await writing;
      closed = true;
      await database.query
        .deleteFrom('llm_node')
        .where('id', '=', self)
        .execute()
        .catch(() => undefined);
    },
  };
}
