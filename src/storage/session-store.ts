/** Stored browser sessions: keyed by the digest of their cookie, with sealed tokens, shared by all nodes. */
import type { Database } from './database.ts';
import { withStorageErrors } from './storage-errors.ts';
import type { SecretBox } from './secret-box.ts';

/** The tokens of one person from the OAuth2 service. */
export interface TokenSet {
  readonly access: string;
  /** Null when the service returns none. The session then ends with the access token. */
  readonly refresh: string | null;
  /** The id token, which the service expects at sign-out; null when there is none. */
  readonly id: string | null;
}

export interface StoredSession {
  readonly issuer: string;
  readonly subject: string;
  readonly tokens: TokenSet;
  /** The issuer's id of the session, for its logout tokens; null when it has none. */
  readonly sid: string | null;
  /** Increases with each renewal. */
  readonly version: number;
  /** Epoch milliseconds. */
  readonly expiresAt: number;
}

/** Each method rejects with `storage_unavailable`. `now` and all times in epoch milliseconds. */
export interface SessionStore {
  create(id: string, session: Omit<StoredSession, 'version'>, now: number): Promise<void>;
  /** Null for an unknown or expired session. */
  find(id: string, now: number): Promise<StoredSession | null>;
  /** True for one caller on one node at a time, which then renews the tokens until `until`. */
  claim(id: string, version: number, now: number, until: number): Promise<boolean>;
  renew(id: string, tokens: TokenSet, version: number): Promise<void>;
  end(id: string): Promise<void>;
}

export function createSessionStore(database: Database, box: SecretBox): SessionStore {
  const { query } = database;
  const sealed = (id: string, tokens: TokenSet): string => box.seal(JSON.stringify(tokens), `session ${id}`).$sealed;
  /** Null when the master key has changed: people sign in again. */
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
