/** The signing keys of one issuer. Refreshed in the background; the last valid set serves while the issuer is unavailable. */
import { createLocalJWKSet, type CryptoKey, errors, type JSONWebKeySet, type JWSHeaderParameters, type LocalJWKSet } from 'jose';
import { GatewayError } from '../types/errors.ts';
import type { Logger } from '../types/logger.ts';
import { wallAge } from '../scheduling/monotonic-clock.ts';

export interface IssuerKeys {
  /**
   * The keys that may have signed a token with this header; one unless the token has no key id. Throws `token_invalid` when the issuer
   * publishes no matching key, and `auth_unavailable` when the keys cannot be fetched.
   */
  keysFor(header: Pick<JWSHeaderParameters, 'alg' | 'kid'>): Promise<readonly CryptoKey[]>;
  close(): void;
}

const refreshMs = 600_000;
const maxStaleMs = 24 * 3_600_000;
/** The minimum time between fetches for unknown key ids, so that invented ids cause no load. */
const cooldownMs = 30_000;
/** Without any keys every caller waits. Attempts are frequent, but a starting service is not overloaded. */
const emptyCooldownMs = 1_000;
/** The maximum number of keys that are tried for a token without a key id. */
const mostCandidates = 8;

const unavailable = (cause: unknown): GatewayError =>
  new GatewayError('auth_unavailable', 'The identity service cannot be reached, so your token cannot be checked. Try again soon.', {
    retryAfterSeconds: 5,
    cause,
  });

const tooSoon = (waitMs: number): GatewayError =>
  new GatewayError(
    'auth_unavailable',
    'The token is signed with a key that is not known yet, and new keys were fetched a moment ago. Try again soon.',
    { retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1_000)) },
  );

interface KeySet {
  readonly pick: LocalJWKSet;
  readonly identities: ReadonlySet<string>;
  readonly ids: ReadonlySet<string>;
  /** Epoch milliseconds. */
  readonly fetchedAt: number;
}

/** The identity of a key: its id and its public part. */
const identityOf = (key: JSONWebKeySet['keys'][number]): string => JSON.stringify([key.kid, key.kty, key.crv, key.x, key.y, key.n, key.e]);

const idsOf = (set: JSONWebKeySet): ReadonlySet<string> => new Set(set.keys.flatMap(({ kid }) => (typeof kid === 'string' ? [kid] : [])));

/** `load` fetches the key set, with `again` after a failure. `onKeyRemoved` is called when a successful refresh no longer contains a known key. */
export function createIssuerKeys(options: {
  readonly issuer: string;
  load(again: boolean, signal: AbortSignal): Promise<JSONWebKeySet>;
  readonly logger: Logger;
  onKeyRemoved(): void;
}): IssuerKeys {
  const { issuer, logger } = options;
  const closed = new AbortController();
  let keySet: KeySet | null = null;
  let triedAt = 0;
  /** The time of the last fetch that did not find an unknown key id. 0: the next unknown id is fetched at once. */
  let unknownAt = 0;
  /** Key ids that the issuer has removed. Their tokens are invalid, so they cause no fetch. */
  const removedKeyIds = new Set<string>();
  /** Consecutive failures. */
  let failures = 0;
  let underWay: Promise<void> | null = null;
  let timer: NodeJS.Timeout | undefined;

  const fetchKeys = async (): Promise<void> => {
    const set = await options.load(failures > 0, closed.signal);
    if (!Array.isArray(set.keys) || set.keys.length === 0) throw new Error('the key set is empty');
    const next: KeySet = {
      pick: createLocalJWKSet(set),
      identities: new Set(set.keys.map(identityOf)),
      ids: idsOf(set),
      fetchedAt: Date.now(),
    };
    for (const id of keySet?.ids ?? []) removedKeyIds.add(id);
    for (const id of next.ids) removedKeyIds.delete(id);
    const removed = keySet !== null && !keySet.identities.isSubsetOf(next.identities);
    keySet = next;
    if (removed) {
      logger.info({ issuer }, 'the identity service revoked a key; tokens signed with it are refused');
      options.onKeyRemoved();
    }
  };

  const schedule = (): void => {
    clearTimeout(timer);
    if (closed.signal.aborted) return;
    const wait = failures === 0 ? refreshMs : Math.min(cooldownMs * 2 ** (failures - 1), refreshMs);
    // Jitter, so that the nodes do not all fetch at once.
    timer = setTimeout(() => void refresh(), wait * (0.8 + 0.2 * Math.random()));
    timer.unref();
  };

  /** One fetch at a time, shared by all callers. Never rejects; `failures` counts errors. */
  const refresh = (): Promise<void> => {
    triedAt = underWay === null ? Date.now() : triedAt;
    underWay ??= fetchKeys()
      .then(
        () => {
          failures = 0;
        },
        (error: unknown) => {
          failures++;
          if (!closed.signal.aborted)
            logger.warn({ issuer, failures, lastGood: keySet === null ? null : new Date(keySet.fetchedAt), err: error }, failureSentence());
        },
      )
      .finally(() => {
        underWay = null;
        schedule();
      });
    return underWay;
  };

  const failureSentence = (): string =>
    keySet === null
      ? 'the keys of the identity service cannot be fetched, so every token is refused. Check PAILOU_OAUTH_ISSUER'
      : 'the keys of the identity service cannot be refreshed; the last good ones stay in use';

  const current = async (): Promise<KeySet> => {
    const isGood = (set: KeySet | null): set is KeySet => set !== null && Date.now() - set.fetchedAt < maxStaleMs;
    if (!isGood(keySet) && (underWay !== null || wallAge(triedAt) >= emptyCooldownMs)) await refresh();
    if (isGood(keySet)) return keySet;
    throw unavailable(new Error(`no keys of ${issuer}`));
  };

  return {
    async keysFor(header) {
      const known = await candidates((await current()).pick, header);
      if (known.length > 0) return known;
      const waitMs = cooldownMs - wallAge(unknownAt);
      const mayFetch = underWay !== null || waitMs <= 0;
      if (mayFetch) {
        if (underWay === null) unknownAt = Date.now();
        await refresh();
        const fresh = await candidates((await current()).pick, header);
        if (fresh.length > 0) {
          // Only the service itself can cause this, so invented key ids cannot.
          unknownAt = 0;
          return fresh;
        }
      }
      // While the service is unavailable, its newest key may be one that was not fetched yet.
      if (failures > 0) throw unavailable(new Error(`key unknown while ${issuer} is away`));
      const { kid } = header;
      const isUnknown = kid !== undefined && !removedKeyIds.has(kid) && keySet?.ids.has(kid) !== true;
      if (!mayFetch && isUnknown) throw tooSoon(waitMs);
      throw new GatewayError(
        'token_invalid',
        'The token is signed with a key that the identity service does not publish. Fetch a new token.',
      );
    },
    close() {
      clearTimeout(timer);
      closed.abort();
    },
  };
}

async function candidates(pick: LocalJWKSet, header: Pick<JWSHeaderParameters, 'alg' | 'kid'>): Promise<readonly CryptoKey[]> {
  try {
    return [await pick(header)];
  } catch (thrown) {
    if (!(thrown instanceof errors.JWKSMultipleMatchingKeys)) return [];
    const keys: CryptoKey[] = [];
    for await (const key of thrown) if (keys.push(key) === mostCandidates) break;
    return keys;
  }
}
