/** From headers to a principal. Fails closed: a bad token is 401, and what cannot be found out is 503, never a yes. */
import type { IncomingHttpHeaders } from 'node:http';
import { errors, type JWTPayload, jwtVerify } from 'jose';
import type { Principal } from '../types/access.ts';
import type { Logger } from '../types/logger.ts';
import { isServiceAccount, mapClaims } from './claims.ts';
import type { IssuerSettings } from './issuer.ts';
import { createIssuerKeys, type IssuerKeys } from './keys.ts';
import { PrincipalCache } from './principal-cache.ts';
import { algorithms, asGatewayError, checkAudience, inspectToken, invalid, tokenOf } from './token-checks.ts';
import { lookUpUser } from './userinfo.ts';

export interface Authenticator {
  /** The token of `headers`, verified. As `verify`; throws token_missing too. */
  authenticate(headers: IncomingHttpHeaders): Principal | Promise<Principal>;
  /** Synchronous when the token is known. Throws or rejects with token_invalid, token_expired or auth_unavailable. */
  verify(token: string): Principal | Promise<Principal>;
  close(): void;
}

const clockSkewSeconds = 30;

interface Issuer {
  readonly settings: IssuerSettings;
  readonly keys: IssuerKeys;
}

export function createAuthenticator(options: {
  readonly issuers: readonly IssuerSettings[];
  readonly logger: Logger;
  /** Hears of each principal whose token was verified anew. */
  readonly onVerified?: (principal: Principal) => void;
  readonly fetch?: typeof fetch;
}): Authenticator {
  const { logger } = options;
  const fetcher = options.fetch ?? fetch;
  const cache = new PrincipalCache();
  const underWay = new Map<string, Promise<Principal>>();
  const issuers = new Map<string, Issuer>();
  for (const settings of options.issuers) {
    const keys = createIssuerKeys({ issuer: settings.issuer, fetch: fetcher, logger, onKeyRemoved: () => cache.forgetAll() });
    issuers.set(settings.issuer, { settings, keys });
  }

  const verifyAnew = async (token: string): Promise<Principal> => {
    const { header, issuer: issuerName } = inspectToken(token);
    const issuer = issuers.get(issuerName);
    if (issuer === undefined) throw invalid('The token comes from an issuer that this gateway does not know.');
    const { settings, keys } = issuer;
    const claims = await verifiedClaims(token, await keys.keysFor(header), settings);
    checkAudience(claims, settings);
    const lookedUp =
      settings.lookup === 'userinfo' && !isServiceAccount(claims, settings.mapping)
        ? await lookUpUser({ keys, token, subject: claims.sub ?? '', fetch: fetcher, logger })
        : null;
    return mapClaims({ token: claims, lookedUp }, settings.mapping, { issuer: settings.issuer, expiresAt: (claims.exp ?? 0) * 1000 });
  };

  /** Several calls with the same new token share one verification. */
  const verifyOnce = (token: string): Promise<Principal> => {
    const { epoch } = cache;
    const key = `${epoch} ${token}`;
    let pending = underWay.get(key);
    if (pending === undefined) {
      pending = verifyAnew(token)
        .then(
          (principal) => {
            cache.keep(token, principal, epoch);
            options.onVerified?.(principal);
            return principal;
          },
          (thrown: unknown) => {
            const error = asGatewayError(thrown);
            cache.keepBad(token, error, epoch);
            throw error;
          },
        )
        .finally(() => underWay.delete(key));
      underWay.set(key, pending);
    }
    return pending;
  };

  const check = (token: string): Principal | Promise<Principal> => {
    const known = cache.good(token, Date.now());
    if (known !== undefined) return known;
    const bad = cache.bad(token);
    if (bad !== undefined) throw bad;
    return verifyOnce(token);
  };

  return {
    authenticate: (headers) => check(tokenOf(headers)),
    verify: check,
    close() {
      for (const { keys } of issuers.values()) keys.close();
    },
  };
}

/** The claims, if one of the keys made the signature. A token without `kid` may fit several. */
async function verifiedClaims(
  token: string,
  keys: Awaited<ReturnType<IssuerKeys['keysFor']>>,
  settings: IssuerSettings,
): Promise<JWTPayload> {
  let refused: unknown;
  for (const key of keys) {
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms,
        issuer: settings.issuer,
        clockTolerance: clockSkewSeconds,
        requiredClaims: ['exp', 'sub'],
      });
      return payload;
    } catch (thrown) {
      if (!(thrown instanceof errors.JWSSignatureVerificationFailed)) throw thrown;
      refused = thrown;
    }
  }
  throw refused;
}
