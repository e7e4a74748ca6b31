/** Revoked access: people whom an administrator blocked, and sign-outs reported by an issuer. Every node applies them within a second. */
import { readFileSync } from 'node:fs';
import { mkdir, rename, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { personKey, type Principal } from '../types/access.ts';
import type { Logger } from '../types/logger.ts';
import type { Database } from './database.ts';
import { withStorageErrors } from './storage-errors.ts';

export interface BlockedPerson {
  readonly tenant: string;
  readonly issuer: string;
  readonly subject: string;
  /** Epoch milliseconds. */
  readonly blockedAt: number;
  /** The reference of a person (`personRef`). */
  readonly blockedBy: string;
  readonly reason: string;
}

/** The target of a sign-out: all browser sessions of a person, or the session with the issuer's `sid`. */
export interface SignOut {
  readonly issuer: string;
  readonly subject: string | null;
  readonly sid: string | null;
  /** The id of the logout token, which is accepted once. */
  readonly jti: string;
  /** Epoch milliseconds until which the id is stored. */
  readonly keepUntil: number;
}

type Who = Pick<Principal, 'tenant' | 'issuer' | 'subject'>;

export interface Revocations extends AsyncDisposable {
  /** Called for every request; answers from memory. */
  isBlocked(who: Who): boolean;
  blockedIn(tenant: string): readonly BlockedPerson[];
  /** Also ends the person's browser sessions. Resolves when this node refuses the person. Rejects with `storage_unavailable`, as the other methods do. */
  block(person: BlockedPerson): Promise<void>;
  /** False when the person was not blocked. */
  unblock(who: Who): Promise<boolean>;
  /** False when the token was used before. */
  signOut(signOut: SignOut): Promise<boolean>;
  /** Calls back when a person was blocked or signed out, on any node. */
  onChange(listener: () => void): void;
}

export interface RevocationsOptions {
  readonly database: Database;
  /** The file that keeps the blocked people across a restart without the database. */
  readonly path: string;
  readonly logger: Logger;
  /** The polling interval, in addition to the database's notification. */
  readonly pollMs?: number;
}

interface State {
  readonly blocked: readonly BlockedPerson[];
  /** The number of sign-outs and the sum of their expiry times. A new sign-out changes it, also when an old one is deleted. */
  readonly signOuts: string;
}

/** Resolves when the blocked people are loaded. Throws when neither the database nor the file is readable. */
export async function createRevocations({ database, path, logger, pollMs = 1_000 }: RevocationsOptions): Promise<Revocations> {
  const { query } = database;
  const listeners = new Set<() => void>();
  let state: State = { blocked: [], signOuts: '' };
  let keys: ReadonlySet<string> = new Set();
  let reading: Promise<void> | null = null;
  let again = false;
  let saving: Promise<void> = Promise.resolve();

  const take = (next: State): void => {
    const before = JSON.stringify(state);
    state = next;
    keys = new Set(next.blocked.map(personKey));
    if (JSON.stringify(next) !== before) for (const listener of listeners) listener();
  };
  const save = (blocked: readonly BlockedPerson[]): void => {
    saving = saving
      .then(async () => {
        await mkdir(dirname(path), { recursive: true, mode: 0o700 });
        await writeFile(`${path}.new`, JSON.stringify(blocked), { mode: 0o600 });
        await rename(`${path}.new`, path);
      })
      .catch((error: unknown) => logger.warn({ err: error }, 'the list of blocked people could not be written to disk'));
  };
  const read = async (): Promise<void> => {
    const rows = await query.selectFrom('llm_blocked_person').selectAll().orderBy('tenant').orderBy('issuer').orderBy('subject').execute();
    const { count, sum } = await query
      .selectFrom('llm_sign_out')
      .select((select) => [select.fn.countAll().as('count'), select.fn.sum('expires_at').as('sum')])
      .executeTakeFirstOrThrow();
    const blocked = rows.map(({ tenant, issuer, subject, blocked_at, blocked_by, reason }) => ({
      tenant,
      issuer,
      subject,
      blockedAt: Number(blocked_at),
      blockedBy: blocked_by,
      reason,
    }));
    const isNew = JSON.stringify(blocked) !== JSON.stringify(state.blocked);
    take({ blocked, signOuts: `${String(count)} ${String(sum)}` });
    if (isNew) save(blocked);
  };
  /** One read at a time. A call during a read gets the result of the next one. */
  const reload = (): Promise<void> => {
    if (reading !== null) {
      again = true;
      return reading.then(() => (again ? reload() : undefined));
    }
    again = false;
    reading = read().finally(() => (reading = null));
    return reading;
  };
  const follow = (): void =>
    void reload().catch((error: unknown) => logger.debug({ err: error }, 'the list of blocked people could not be read; trying again'));

  try {
    await read();
  } catch (thrown) {
    // When the database is unavailable, the last known state applies. A node without one has no configuration to serve either.
    try {
      take({ blocked: JSON.parse(readFileSync(path, 'utf8')) as BlockedPerson[], signOuts: '' });
    } catch {
      logger.warn({ err: thrown }, 'the list of blocked people is unknown until the database is reachable');
    }
  }
  const stopWatching = database.watch(follow);
  const timer = setInterval(follow, pollMs);
  timer.unref();

  return {
    isBlocked: (who) => keys.size > 0 && keys.has(personKey(who)),
    blockedIn: (tenant) => state.blocked.filter((each) => each.tenant === tenant),
    async block({ tenant, issuer, subject, blockedAt, blockedBy, reason }) {
      await withStorageErrors(database, () =>
        query.transaction().execute(async (transaction) => {
          await transaction
            .insertInto('llm_blocked_person')
            .values({ tenant, issuer, subject, blocked_at: blockedAt, blocked_by: blockedBy, reason })
            .onConflict((conflict) => conflict.columns(['tenant', 'issuer', 'subject']).doNothing())
            .execute();
          await transaction.deleteFrom('llm_session').where('issuer', '=', issuer).where('subject', '=', subject).execute();
          await database.notify(transaction);
        }),
      );
      await withStorageErrors(database, reload);
    },
    async unblock({ tenant, issuer, subject }) {
      const done = await withStorageErrors(database, () =>
        query.transaction().execute(async (transaction) => {
          const { numDeletedRows } = await transaction
            .deleteFrom('llm_blocked_person')
            .where('tenant', '=', tenant)
            .where('issuer', '=', issuer)
            .where('subject', '=', subject)
            .executeTakeFirst();
          await database.notify(transaction);
          return numDeletedRows > 0n;
        }),
      );
      await withStorageErrors(database, reload);
      return done;
    },
    async signOut({ issuer, subject, sid, jti, keepUntil }) {
      const done = await withStorageErrors(database, () =>
        query.transaction().execute(async (transaction) => {
          await transaction.deleteFrom('llm_sign_out').where('expires_at', '<', Date.now()).execute();
          const { numInsertedOrUpdatedRows } = await transaction
            .insertInto('llm_sign_out')
            .values({ issuer, jti, expires_at: keepUntil })
            .onConflict((conflict) => conflict.columns(['issuer', 'jti']).doNothing())
            .executeTakeFirst();
          if (numInsertedOrUpdatedRows !== 1n) return false;
          let ended = transaction.deleteFrom('llm_session').where('issuer', '=', issuer);
          if (subject !== null) ended = ended.where('subject', '=', subject);
          // A session without the issuer's id may be the one. Ending one too many only requires a new sign-in.
          if (sid !== null) ended = ended.where((is) => is.or([is('sid', '=', sid), ...(subject === null ? [] : [is('sid', 'is', null)])]));
          await ended.execute();
          await database.notify(transaction);
          return true;
        }),
      );
      if (done) await withStorageErrors(database, reload);
      return done;
    },
    onChange: (listener) => void listeners.add(listener),
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      stopWatching();
      await reading?.catch(() => {});
      await saving;
    },
  };
}
