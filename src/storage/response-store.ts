/** Stored responses that a later request continues, each for its own caller. Written off the call's path; the newest stay in memory, so that the next call need not wait for the database. */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import type { Principal } from '../types/access.ts';
import type { JsonObject } from '../types/json.ts';
import type { Logger } from '../types/logger.ts';
import type { Database } from './database.ts';
import { createDurableWriter } from './durable-writer.ts';
import type { RecordState } from './record-state.ts';
import type { ResponseTable } from './schema.ts';

/** The owner of a response. For anyone else it does not exist. */
export type ResponseOwner = Pick<Principal, 'tenant' | 'issuer' | 'subject'>;

export interface StoredResponse {
  readonly id: string;
  /** The conversation with the answer, without instructions, as chat completion messages. */
  readonly messages: readonly JsonObject[];
  /** The response as the client got it. */
  readonly response: JsonObject;
}

export interface ResponseStore extends AsyncDisposable {
  /** Never throws and never waits. */
  keep(owner: ResponseOwner, stored: StoredResponse): void;
  /** Null when it is unknown, expired, or owned by another caller. Rejects with `storage_unavailable` when the database is away. */
  get(owner: ResponseOwner, id: string): Promise<StoredResponse | null>;
  /** False when `get` would give null. */
  delete(owner: ResponseOwner, id: string): Promise<boolean>;
}

export interface ResponseStoreOptions {
  /** As in `DurableWriterOptions`. */
  readonly watch?: (state: RecordState) => void;
  readonly database: Database;
  readonly dataDir: string;
  readonly logger: Logger;
  /** The write interval in milliseconds; default 20. Other nodes see a response after it. */
  readonly intervalMs?: number;
}

/** Retention in milliseconds: 30 days. */
const keptMs = 30 * 24 * 3_600_000;
/** A response that another node has just written may be on its way. */
const patienceMs = 150;
const memoryBytes = 64 * 1024 * 1024;
/** Also how long a response deleted on another node may still be found on this one. */
const memoryMs = 300_000;

function isOwn(row: ResponseTable, owner: ResponseOwner): boolean {
  return row.tenant === owner.tenant && row.issuer === owner.issuer && row.subject === owner.subject;
}

function read(row: ResponseTable): StoredResponse {
  return {
    id: row.id,
    messages: JSON.parse(row.messages) as readonly JsonObject[],
    response: JSON.parse(row.response) as JsonObject,
  };
}

export function createResponseStore(options: ResponseStoreOptions): ResponseStore {
  const { database, logger } = options;
  const memory = new LRUCache<string, ResponseTable>({
    maxSize: memoryBytes,
    ttl: memoryMs,
    sizeCalculation: (row) => 500 + row.messages.length + row.response.length,
  });
  const writer = createDurableWriter<ResponseTable>({
    name: 'responses',
    database,
    folder: join(options.dataDir, 'spool', 'responses'),
    intervalMs: options.intervalMs ?? 20,
    logger,
    ...(options.watch === undefined ? {} : { watch: options.watch }),
    rowsOf: (rows) => [{ table: 'llm_response', rows }],
    insert: (rows) => database.insertMany(rows),
    sizeOf: ({ messages, response }) => messages.length + response.length,
  });

  /** PostgreSQL refuses a statement with the character NUL, which no id holds. */
  const isPossible = (id: string): boolean => !id.includes('\0');
  const find = async (id: string): Promise<ResponseTable | undefined> => {
    if (!isPossible(id)) return undefined;
    try {
      return await database.query
        .selectFrom('llm_response')
        .selectAll()
        .where('id', '=', id)
        .where('expires_at', '>', Date.now())
        .executeTakeFirst();
    } catch (thrown) {
      throw database.explain(thrown);
    }
  };

  return {
    keep(owner, { id, messages, response }) {
      const now = Date.now();
      const row: ResponseTable = {
        id,
        tenant: owner.tenant,
        issuer: owner.issuer,
        subject: owner.subject,
        created_at: now,
        expires_at: now + keptMs,
        messages: JSON.stringify(messages),
        response: JSON.stringify(response),
      };
      memory.set(id, row);
      writer.add(row);
    },

    async get(owner, id) {
      const own = (row: ResponseTable | undefined): ResponseTable | undefined => (row !== undefined && isOwn(row, owner) ? row : undefined);
      let row = own(memory.get(id)) ?? own(await find(id));
      if (row === undefined) {
        // Also for responses of other callers, so that timing reveals nothing.
        await delay(patienceMs);
        row = own(await find(id));
      }
      if (row === undefined) return null;
      memory.set(id, row);
      return read(row);
    },

    async delete(owner, id) {
      if (!isPossible(id)) return false;
      // A pending write would restore it.
      await writer.flush();
      memory.delete(id);
      try {
        const { numDeletedRows } = await database.query
          .deleteFrom('llm_response')
          .where('id', '=', id)
          .where('tenant', '=', owner.tenant)
          .where('issuer', '=', owner.issuer)
          .where('subject', '=', owner.subject)
          .where('expires_at', '>', Date.now())
          .executeTakeFirst();
        return numDeletedRows > 0n;
      } catch (thrown) {
        throw database.explain(thrown);
      }
    },

    async [Symbol.asyncDispose]() {
      await writer[Symbol.asyncDispose]();
    },
  };
}
