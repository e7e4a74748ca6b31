/** The signing keys of one issuer: found by discovery, kept fresh in the background, served from the last good set while the issuer is away. */
import { createLocalJWKSet, type CryptoKey, type JSONWebKeySet, type JWSHeaderParameters } from 'jose';
import { GatewayError } from '../types/errors.ts';
import type { Logger } from '../types/logger.ts';

export interface Discovery {
  readonly jwksUri: string;
  readonly userinfoEndpoint: string | null;
}

export interface IssuerKeys {
  /** The key for a token's header. Throws `auth_unavailable` if no keys were ever had, `token_invalid` if none fits. */
  keyFor(header: JWSHeaderParameters): Promise<CryptoKey>;
  discovery(): Promise<Discovery>;
  close(): void;
}

const refreshMs = 600_000;
const maxStaleMs = 24 * 3_600_000;
/** Between two fetches for keys that nobody knows: a flood of invented key ids costs nothing. */
const cooldownMs = 30_000;
const timeoutMs = 5_000;

const unavailable = (cause: unknown): GatewayError =>
  new GatewayError('auth_unavailable', 'The identity service cannot be reached, so your token cannot be checked. Try again soon.', {
    retryAfterSeconds: 5,
    cause,
  });

export function createIssuerKeys(options: { issuer: string; fetch: typeof fetch; logger: Logger; onKeyRemoved(): void }): IssuerKeys {
  const { issuer, logger } = options;
  let found: Discovery | null = null;
  let keys: ReturnType<typeof createLocalJWKSet> | null = null;
  let identities = new Set<string>();
  let goodAt = 0;
  let triedAt = 0;
  let underWay: Promise<void> | null = null;
  let timer: NodeJS.Timeout | undefined;

  const getJson = async (url: string): Promise<Record<string, unknown>> => {
    const response = await options.fetch(url, {
      signal: AbortSignal.timeout(timeoutMs),
      headers: { accept: 'application/json' },
      redirect: 'error',
    });
    if (!response.ok) throw new Error(`${url} answered ${response.status}`);
    const text = await response.text();
    if (text.length > 1_000_000) throw new Error(`${url} answered more than 1 MB`);
    return JSON.parse(text) as Record<string, unknown>;
  };

  const discovery = async (): Promise<Discovery> => {
    if (found !== null) return found;
    let document: Record<string, unknown>;
    try {
      document = await getJson(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`);
    } catch (cause) {
      throw unavailable(cause);
    }
    const { issuer: said, jwks_uri: jwksUri, userinfo_endpoint: userinfo } = document;
    if (said !== issuer || typeof jwksUri !== 'string') {
      logger.error({ issuer, said }, 'the discovery document names another issuer or no keys; check PAILOU_OAUTH_ISSUER');
      throw unavailable(new Error('discovery does not fit the issuer'));
    }
    found = { jwksUri, userinfoEndpoint: typeof userinfo === 'string' ? userinfo : null };
    return found;
  };

  const fetchKeys = async (): Promise<void> => {
    triedAt = Date.now();
    const { jwksUri } = await discovery();
    const set = (await getJson(jwksUri)) as unknown as JSONWebKeySet;
    if (!Array.isArray(set.keys) || set.keys.length === 0) throw new Error('the key set is empty');
    const next = new Set(set.keys.map((key) => `${key.kid ?? ''} ${String(key['x'] ?? key['n'] ?? '')}`));
    const removed = [...identities].some((identity) => !next.has(identity));
    keys = createLocalJWKSet(set);
    identities = next;
    goodAt = Date.now();
    if (removed) options.onKeyRemoved();
  };

  /** One fetch at a time; whoever asks meanwhile waits for the same one. */
  const refresh = (): Promise<void> => {
    underWay ??= fetchKeys().finally(() => {
      underWay = null;
      clearTimeout(timer);
      const wait = goodAt === triedAt || Date.now() - goodAt < refreshMs ? refreshMs : cooldownMs;
      timer = setTimeout(
        () =>
          void refresh().catch((error: unknown) =>
            logger.warn({ issuer, err: error }, 'the keys of the identity service cannot be refreshed; the last good ones serve'),
          ),
        wait,
      );
      timer.unref();
    });
    return underWay;
  };

  const current = async (): Promise<NonNullable<typeof keys>> => {
    if (keys !== null && Date.now() - goodAt < maxStaleMs) return keys;
    // Without keys every caller waits, so tries are spaced a little to spare a service that is coming up.
    if (Date.now() - triedAt < 1_000 && underWay === null) throw unavailable(new Error('tried a moment ago'));
    await refresh().catch((cause: unknown) => {
      throw unavailable(cause);
    });
    return keys as unknown as NonNullable<typeof keys>;
  };

  const pick = async (set: NonNullable<typeof keys>, header: JWSHeaderParameters): Promise<CryptoKey | null> =>
    set(header).catch(() => null);

  return {
    discovery,
    async keyFor(header) {
      const known = await pick(await current(), header);
      if (known !== null) return known;
      if (Date.now() - triedAt >= cooldownMs || underWay !== null) {
        await refresh().catch(() => {});
        const fresh = await pick(await current(), header);
        if (fresh !== null) return fresh;
      }
      throw new GatewayError(
        'token_invalid',
        'The token is signed with a key that the identity service does not publish. Fetch a new token.',
      );
    },
    close: () => clearTimeout(timer),
  };
}
