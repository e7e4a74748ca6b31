/** The signing keys of one issuer: kept fresh in the background, served from the last good set while the issuer is away. */
import { createLocalJWKSet, type CryptoKey, errors, type JSONWebKeySet, type JWSHeaderParameters, type LocalJWKSet } from 'jose';
import { GatewayError } from '../types/errors.ts';
import type { Logger } from '../types/logger.ts';

export interface IssuerKeys {
  /**
   * The keys that may have made a signature with this header, one unless the token names none.
   * Throws `token_invalid` if the issuer publishes none that fits, `auth_unavailable` if that cannot be found out.
   */
  keysFor(header: Pick<JWSHeaderParameters, 'alg' | 'kid'>): Promise<readonly CryptoKey[]>;
  close(): void;
}

const refreshMs = 600_000;
const maxStaleMs = 24 * 3_600_000;
/** Between two fetches for keys that nobody knows: a flood of invented key ids costs nothing. */
const cooldownMs = 30_000;
/** With no keys at all every caller waits for them, so tries are close, but do not overrun a service that is coming up. */
const emptyCooldownMs = 1_000;
/** A token without key id may be tried with so many keys. */
const mostCandidates = 8;

const unavailable = (cause: unknown): GatewayError =>
  new GatewayError('auth_unavailable', 'The identity service cannot be reached, so your token cannot be checked. Try again soon.', {
    retryAfterSeconds: 5,
    cause,
  });

const tooSoon = (waitMs: number): GatewayError =>
  new GatewayError(
    'auth_unavailable',
    'The token is signed with a key that is not known yet, and the identity service was asked for new keys a moment ago. Try again soon.',
    { retryAfterSeconds: Math.max(1, Math.ceil(waitMs / 1_000)) },
  );

interface KeySet {
  readonly pick: LocalJWKSet;
  readonly identities: ReadonlySet<string>;
  readonly ids: ReadonlySet<string>;
  /** Epoch milliseconds. */
  readonly fetchedAt: number;
}

/** What makes a key the same key: its id and its public part. */
const identityOf = (key: JSONWebKeySet['keys'][number]): string => JSON.stringify([key.kid, key.kty, key.crv, key.x, key.y, key.n, key.e]);

const idsOf = (set: JSONWebKeySet): ReadonlySet<string> => new Set(set.keys.flatMap(({ kid }) => (typeof kid === 'string' ? [kid] : [])));

/**
 * `load` fetches the key set, `again` after a failure. `onKeyRemoved` is called when a successful refresh no longer has
 * a key that was there before.
 */
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
  /** When an unknown key id last brought a fetch that did not find it; 0: the next one is looked for at once. */
  let unknownAt = 0;
  /** Key ids that the issuer published and took back: their tokens are void, nothing is unknown about them. */
  const takenBack = new Set<string>();
  /** In a row. */
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
    for (const id of keySet?.ids ?? []) takenBack.add(id);
    for (const id of next.ids) takenBack.delete(id);
    const removed = keySet !== null && !keySet.identities.isSubsetOf(next.identities);
    keySet = next;
    if (removed) {
      logger.info({ issuer }, 'the identity service took a key back; tokens signed with it are void');
      options.onKeyRemoved();
    }
  };

  const schedule = (): void => {
    clearTimeout(timer);
    if (closed.signal.aborted) return;
    const wait = failures === 0 ? refreshMs : Math.min(cooldownMs * 2 ** (failures - 1), refreshMs);
    // Jitter, so that the nodes of a team do not all ask at once.
    timer = setTimeout(() => void refresh(), wait * (0.8 + 0.2 * Math.random()));
    timer.unref();
  };

  /** One fetch at a time; whoever asks meanwhile waits for the same one. Never rejects: `failures` tells. */
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
      ? 'the keys of the identity service cannot be fetched; nobody can be let in. Check PAILOU_OAUTH_ISSUER'
      : 'the keys of the identity service cannot be refreshed; the last good ones serve';

  const current = async (): Promise<KeySet> => {
    const isGood = (set: KeySet | null): set is KeySet => set !== null && Date.now() - set.fetchedAt < maxStaleMs;
    if (!isGood(keySet) && (underWay !== null || Date.now() - triedAt >= emptyCooldownMs)) await refresh();
    if (isGood(keySet)) return keySet;
    throw unavailable(new Error(`no keys of ${issuer}`));
  };

  return {
    async keysFor(header) {
      const known = await candidates((await current()).pick, header);
      if (known.length > 0) return known;
      const waitMs = unknownAt + cooldownMs - Date.now();
      const mayFetch = underWay !== null || waitMs <= 0;
      if (mayFetch) {
        if (underWay === null) unknownAt = Date.now();
        await refresh();
        const fresh = await candidates((await current()).pick, header);
        if (fresh.length > 0) {
          // Only the service itself can bring this about, so a flood cannot.
          unknownAt = 0;
          return fresh;
        }
      }
      // While the service is away its newest key may be one that we have not seen.
      if (failures > 0) throw unavailable(new Error(`key unknown while ${issuer} is away`));
      const { kid } = header;
      const isUnknown = kid !== undefined && !takenBack.has(kid) && keySet?.ids.has(kid) !== true;
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
