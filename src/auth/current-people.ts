/** People with their current rights: the last known ones, checked at the identity service where it can be asked about a person. */
import { LRUCache } from 'lru-cache';
import { entryLimit } from '../types/entry-limit.ts';
import { type People, type Person, sameRights } from '../storage/people.ts';
import { GatewayError } from '../types/errors.ts';
import { wallAge } from '../scheduling/monotonic-clock.ts';

export interface CurrentPeopleOptions {
  readonly people: Pick<People, 'find'>;
  /** The issuers that can be asked about a person. */
  readonly issuers: ReadonlySet<string>;
  /** As Authenticator.lookUpPerson. */
  readonly lookUp: (person: Person) => Promise<Person>;
}

/** The age at which a person is looked up again, in the background of the calls. */
const refreshMs = 30_000;
/** The age at which a call waits for the look-up. The same as for tokens. */
const expiredMs = 60_000;
/** A failed look-up is repeated soon, but not by every call. */
const failedMs = 1_000;

interface Known {
  /** The stored person that the answer is based on. A newer token replaces it. */
  readonly base: Person;
  /** Null for a person whom the service refuses. */
  readonly current: Person | null;
  readonly at: number;
}

interface Failure {
  readonly error: GatewayError;
  readonly at: number;
}

const keyOf = ({ issuer, subject }: Person): string => `${issuer}\n${subject}`;

/** `find` throws or rejects with `auth_unavailable` while the service cannot be asked. */
export function createCurrentPeople({ people, issuers, lookUp }: CurrentPeopleOptions): Pick<People, 'find'> {
  const known = new LRUCache<string, Known>(entryLimit(20_000));
  const failed = new LRUCache<string, Failure>({ max: 1_000 });
  const pending = new Map<string, Promise<Person | null>>();

  const look = (base: Person): Promise<Person | null> => {
    const key = keyOf(base);
    const before = pending.get(key);
    if (before !== undefined) return before;
    const result = lookUp(base)
      .catch((thrown: unknown) => {
        if (thrown instanceof GatewayError && thrown.code === 'token_invalid') return null;
        if (thrown instanceof GatewayError) failed.set(key, { error: thrown, at: Date.now() });
        throw thrown;
      })
      .then((current) => {
        known.set(key, { base, current, at: Date.now() });
        return current;
      })
      .finally(() => pending.delete(key));
    pending.set(key, result);
    return result;
  };

  /** The error of a failed look-up that is not repeated yet. */
  const recentFailure = (key: string, now: number): GatewayError | null => {
    const failure = failed.get(key);
    return failure !== undefined && wallAge(failure.at, now) < failedMs ? failure.error : null;
  };

  const currentOf = (base: Person): Person | null | Promise<Person | null> => {
    // As with tokens, a service account has no person to look up.
    if (base.isService || !issuers.has(base.issuer)) return base;
    const key = keyOf(base);
    const found = known.get(key);
    const now = Date.now();
    if (found !== undefined && wallAge(found.at, now) < expiredMs && sameRights(found.base, base)) {
      if (wallAge(found.at, now) > refreshMs && recentFailure(key, now) === null) look(base).catch(() => {});
      return found.current;
    }
    const failure = recentFailure(key, now);
    if (failure !== null) throw failure;
    return look(base);
  };

  return {
    find(issuer, subject) {
      const found = people.find(issuer, subject);
      if (found instanceof Promise) return found.then((person) => (person === null ? null : currentOf(person)));
      return found === null ? null : currentOf(found);
    },
  };
}
