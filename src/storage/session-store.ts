/** Sessions at rest: by the digest of their cookie, with sealed tokens, for all nodes. */
import type { Database } from './database.ts';
import { withStorageErrors } from './storage-errors.ts';
import type { SecretBox } from './secret-box.ts';

/** What the OAuth2 service gave for one person. */
export interface TokenSet {
  readonly access: string;
  /** Null where the service gives none: the session ends with the access token. */
  readonly refresh: string | null;
  /** The id token, which the service wants back at the end; null where there is none. */
  readonly id: string | null;
}

export interface StoredSession {
  readonly issuer: string;
  readonly subject: string;
  readonly tokens: TokenSet;
  /** What the issuer calls the session, by which it may tell its end; null where it has no name for it. */
  readonly sid: string | null;
  /** Rises with each renewal. */
  readonly version: number;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

/** Each rejects with `storage_unavailable`. `now` and times in epoch milliseconds. */
export interface SessionStore {
  create(id: string, session: Omit<StoredSession, 'version'>, now: number): Promise<void>;
  /** Null for one that is unknown or over. */
  find(id: string, now: number): Promise<StoredSession | null>;
  /** True for one caller on one node at a time, which then renews the tokens until `until`. */
  claim(id: string, version: number, now: number, until: number): Promise<boolean>;
  renew(id: string, tokens: TokenSet, version: number): Promise<void>;
  end(id: string): Promise<void>;
}

export function createSessionStore(database: Database, box: SecretBox): SessionStore {
  const { query } = database;
  const sealed = (id: string, tokens: TokenSet): string => box.seal(JSON.stringify(tokens), `session ${id}`).$sealed;
  /** Null where the master key is another one now: people sign in again. */
  const opened = (id: string, text: string): TokenSet | null => {
    try {
      return JSON.parse(box.open({ $sealed: text }, `session ${id}`)) as TokenSet;
    } catch {
      return null;
    }
  };
  return {
    create: (id, { issuer, subject, tokens, sid, expiresAt }, now) =>
      withStorageErrors(database, async () => {
        await query.deleteFrom('llm_session').where('expires_at', '<', now).execute();
        const row = {
          id,
          issuer,
          subject,
          sid,
          tokens: sealed(id, tokens),
          version: 1,
          renewing_until: 0,
          created_at: now,
          expires_at: expiresAt,
        };
        await query.insertInto('llm_session').values(row).execute();
      }),
    find: (id, now) =>
      withStorageErrors(database, async () => {
        const row = await query.selectFrom('llm_session').selectAll().where('id', '=', id).where('expires_at', '>', now).executeTakeFirst();
        if (row === undefined) return null;
        const tokens = opened(id, row.tokens);
        if (tokens === null) return null;
        return { issuer: row.issuer, subject: row.subject, tokens, sid: row.sid, version: row.version, expiresAt: Number(row.expires_at) };
      }),
    claim: (id, version, now, until) =>
      withStorageErrors(database, async () => {
        const { numUpdatedRows } = await query
          .updateTable('llm_session')
          .set({ renewing_until: until })
          .where('id', '=', id)
          .where('version', '=', version)
          .where('renewing_until', '<', now)
          .executeTakeFirst();
        return Number(numUpdatedRows) === 1;
      }),
    renew: (id, tokens, version) =>
      withStorageErrors(database, async () => {
        await query
          .updateTable('llm_session')
          .set({ tokens: sealed(id, tokens), version: version + 1, renewing_until: 0 })
          .where('id', '=', id)
          .where('version', '=', version)
          .execute();
      }),
    end: (id) =>
      withStorageErrors(database, async () => {
        await query.deleteFrom('llm_session').where('id', '=', id).execute();
      }),
  };
}
