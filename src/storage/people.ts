/** The last known roles and rights of people from verified tokens. API keys use them, because a key has its owner's current rights. */
import { LRUCache } from 'lru-cache';
import { entryLimit } from '../types/entry-limit.ts';
import { type PermissionCode, permissionCodes, type Principal } from '../types/access.ts';
import { GatewayError } from '../types/errors.ts';
import type { Logger } from '../types/logger.ts';
import type { Database } from './database.ts';
import type { PersonTable } from './schema.ts';

export interface Person {
  readonly issuer: string;
  readonly subject: string;
  readonly tenant: string;
  readonly username: string;
  readonly roles: readonly string[];
  readonly permissions: ReadonlySet<PermissionCode>;
  /** True for a service account (client credentials). */
  readonly isService: boolean;
  /** As in `Principal`. */
  readonly team?: string;
  /** The time of the person's last verified token, in epoch milliseconds, accurate to ten minutes. */
  readonly seenAt: number;
}

export interface People extends AsyncDisposable {
  /** Stores what a verified token contains. Never throws and never waits. */
  saw(principal: Principal): void;
  /** Null for an unknown person. Synchronous when cached. Rejects with `auth_unavailable` when the database is unavailable. */
  find(issuer: string, subject: string): Person | null | Promise<Person | null>;
}

/** The person of a database row. */
export function personOf(row: PersonTable): Person {
  const codes = row.permissions.split(' ');
  return {
    issuer: row.issuer,
    subject: row.subject,
    tenant: row.tenant,
    username: row.username,
    roles: JSON.parse(row.roles) as string[],
    permissions: new Set(permissionCodes.filter((code) => codes.includes(code))),
    isService: Number(row.is_service) === 1,
    seenAt: Number(row.seen_at),
  };
}

/** A principal from the person's last token. It has no client, so grants to clients do not apply. */
export function principalOfPerson({ issuer, subject, tenant, username, roles, permissions }: Person): Principal {
  return Object.freeze({ issuer, subject, tenant, username, roles, permissions, client: null, credential: 'token', expiresAt: Infinity });
}

/** The age at which a cached person is read again, in the background of the calls that use it. */
const freshMs = 15_000;
/** The cache time of unknown people. */
const unknownMs = 5_000;
/** The minimum interval between writes for tokens without changes. */
const writeEveryMs = 600_000;
const flushMs = 500;

interface Known {
  readonly person: Person | null;
  readonly readAt: number;
}

const keyOf = (issuer: string, subject: string): string => `${issuer}\n${subject}`;

export function sameRights(one: Person, other: Person): boolean {
  return (
    one.tenant === other.tenant &&
    one.username === other.username &&
    one.isService === other.isService &&
    one.roles.join(' ') === other.roles.join(' ') &&
    one.permissions.size === other.permissions.size &&
    one.permissions.isSubsetOf(other.permissions)
  );
}

/** Infinity for a moment in the future: what is from before a step of the clock backwards counts as old. */
const ageOf = (at: number, now: number): number => (at > now ? Infinity : now - at);

export function createPeople({ database, logger }: { readonly database: Database; readonly logger: Logger }): People {
  const known = new LRUCache<string, Known>(entryLimit(50_000));
  const reading = new Map<string, Promise<Person | null>>();
  let toWrite = new Map<string, Person>();
  let writing: Promise<void> = Promise.resolve();

  const write = async (person: Person): Promise<void> => {
    const row = {
      issuer: person.issuer,
      subject: person.subject,
      tenant: person.tenant,
      username: person.username,
      roles: JSON.stringify(person.roles),
      permissions: [...person.permissions].join(' '),
      is_service: person.isService ? 1 : 0,
      seen_at: person.seenAt,
    };
    const { issuer: _issuer, subject: _subject, ...rest } = row;
    await database.query
      .insertInto('llm_person')
      .values(row)
      .onConflict((conflict) => conflict.columns(['issuer', 'subject']).doUpdateSet(rest))
      .execute();
  };
  const writeAll = async (people: readonly Person[]): Promise<void> => {
    for (const person of people)
      try {
        await write(person);
      } catch (thrown) {
        if (!database.blamesData(thrown)) throw thrown;
        logger.error({ err: thrown }, "the database can never take the rights in a person's token; they were left out");
      }
  };
  const flush = (): void => {
    if (toWrite.size === 0) return;
    const people = [...toWrite.values()];
    toWrite = new Map();
    writing = writing
      .then(() => writeAll(people))
      .catch((error: unknown) => {
        logger.debug({ err: error }, "the rights in people's tokens could not be stored; trying again");
        for (const person of people) {
          const key = keyOf(person.issuer, person.subject);
          if (!toWrite.has(key)) toWrite.set(key, person);
        }
      });
  };
  const timer = setInterval(flush, flushMs);
  timer.unref();

  const read = (issuer: string, subject: string): Promise<Person | null> => {
    const key = keyOf(issuer, subject);
    let pending = reading.get(key);
    if (pending === undefined) {
      pending = database.query
        .selectFrom('llm_person')
        .selectAll()
        .where('issuer', '=', issuer)
        .where('subject', '=', subject)
        .executeTakeFirst()
        .then((row) => {
          const person = row === undefined ? null : personOf(row);
          // Data that this node has not written yet is newer than the row.
          const own = known.peek(key)?.person ?? null;
          const latest = own !== null && own.seenAt > (person?.seenAt ?? 0) ? own : person;
          known.set(key, { person: latest, readAt: Date.now() });
          return latest;
        })
        .finally(() => reading.delete(key));
      reading.set(key, pending);
    }
    return pending;
  };

  return {
    saw({ issuer, subject, tenant, username, roles, permissions, isService = false }) {
      const key = keyOf(issuer, subject);
      const now = Date.now();
      const person: Person = { issuer, subject, tenant, username, roles, permissions, isService, seenAt: now };
      const before = known.peek(key)?.person ?? null;
      if (before !== null && sameRights(before, person) && ageOf(before.seenAt, now) < writeEveryMs) return;
      known.set(key, { person, readAt: now });
      toWrite.set(key, person);
    },
    find(issuer, subject) {
      const found = known.get(keyOf(issuer, subject));
      const age = found === undefined ? Infinity : ageOf(found.readAt, Date.now());
      if (found !== undefined && (found.person !== null || age < unknownMs)) {
        // Runs in the background. When the database is unavailable, the cached person stays.
        if (age > freshMs) read(issuer, subject).catch(() => {});
        return found.person;
      }
      return read(issuer, subject).catch((cause: unknown) => {
        throw new GatewayError('auth_unavailable', "The rights of this key's owner cannot be read at the moment. Try again soon.", {
          retryAfterSeconds: 5,
          cause,
        });
      });
    },
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      flush();
      await writing;
    },
  };
}
