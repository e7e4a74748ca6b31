/** From headers to a principal. Fails closed: a bad token is 401, and what cannot be found out is 503, never a yes. */
import type { IncomingHttpHeaders } from 'node:http';
import { decodeProtectedHeader, errors, type JWTPayload, jwtVerify } from 'jose';
import type { Principal } from '../types/access.ts';
import { GatewayError } from '../types/errors.ts';
import type { Logger } from '../types/logger.ts';
import { mapClaims } from './claims.ts';
import type { IssuerSettings } from './issuer.ts';
import { createIssuerKeys, type IssuerKeys } from './keys.ts';
import { PrincipalCache } from './principal-cache.ts';
import { lookUpUser } from './userinfo.ts';

export interface Authenticator {
  /** Synchronous when the token is known. Throws or rejects with token_missing, token_invalid, token_expired or auth_unavailable. */
  authenticate(headers: IncomingHttpHeaders): Principal | Promise<Principal>;
  close(): void;
}

/** Longer ones are refused before any work is done. */
const maxTokenLength = 32_768;
/** Asymmetric only: a shared secret could be a published default, and a public key must never serve as one. */
const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'];
const clockSkewSeconds = 30;
const tokenTypes = [undefined, 'JWT', 'jwt', 'at+jwt', 'application/at+jwt'];

interface Issuer {
  readonly settings: IssuerSettings;
  readonly keys: IssuerKeys;
}

const invalid = (message: string, cause?: unknown): GatewayError => new GatewayError('token_invalid', message, { cause });

/** The one token of a request. Two different ones are refused: nobody could tell which of them counts. */
function tokenOf(headers: IncomingHttpHeaders): string {
  const { authorization } = headers;
  const apiKey = headers['x-api-key'];
  let token: string | undefined;
  if (authorization !== undefined) {
    const match = /^Bearer +([^\s]+) *$/i.exec(authorization);
    if (match?.[1] === undefined) throw invalid('The Authorization header must be "Bearer <token>".');
    token = match[1];
  }
  if (typeof apiKey === 'string' && apiKey !== '') {
    if (token !== undefined && token !== apiKey) throw invalid('Authorization and x-api-key carry two different tokens; send one.');
    token = apiKey;
  }
  if (token === undefined)
    throw new GatewayError('token_missing', 'Send a token of your OAuth2 service as "Authorization: Bearer <token>".');
  return token;
}

/** The claims, unverified: only to find the issuer whose keys verify them. */
function unverifiedIssuer(token: string): unknown {
  try {
    const payload: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
    return typeof payload === 'object' && payload !== null && Object.hasOwn(payload, 'iss') ? (payload as { iss: unknown }).iss : undefined;
  } catch (cause) {
    throw invalid('The token is not a JWT.', cause);
  }
}

function asGatewayError(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  if (thrown instanceof errors.JWTExpired)
    return new GatewayError('token_expired', 'The token has expired. Fetch a new one.', { cause: thrown });
  if (thrown instanceof errors.JWTClaimValidationFailed)
    return invalid(`The token's claim "${thrown.claim}" is missing or not as it must be here. Fetch a new token for this gateway.`, thrown);
  return invalid('The token cannot be trusted. Fetch a new one from your OAuth2 service.', thrown);
}

function checkAudience(payload: JWTPayload, settings: IssuerSettings): void {
  const audiences = [payload.aud ?? []].flat();
  if (settings.audiences.length > 0 && !settings.audiences.some((each) => audiences.includes(each))) {
    throw invalid('The token was issued for another service (claim "aud"). Fetch one for this gateway.');
  }
  if (settings.allowedClients.length === 0) return;
  const clients = [payload['azp'], payload['client_id'], ...audiences];
  if (!settings.allowedClients.some((each) => clients.includes(each)))
    throw invalid('The token was issued to a client that may not be used here.');
}

export function createAuthenticator(options: {
  readonly issuers: readonly IssuerSettings[];
  readonly logger: Logger;
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

  const verify = async (token: string): Promise<Principal> => {
    const header = decodeProtectedHeader(token);
    if (typeof header.alg !== 'string' || !algorithms.includes(header.alg))
      throw invalid('The token is signed in a way that is not accepted here.');
    if (!tokenTypes.includes(header.typ)) throw invalid('This kind of token is not accepted here; send an access token.');
    const issuerName = unverifiedIssuer(token);
    const issuer = typeof issuerName === 'string' ? issuers.get(issuerName) : undefined;
    if (issuer === undefined) throw invalid('The token comes from an issuer that this gateway does not know.');
    const { settings, keys } = issuer;
    const key = await keys.keyFor(header as Parameters<IssuerKeys['keyFor']>[0]);
    const { payload } = await jwtVerify(token, key, {
      algorithms,
      issuer: settings.issuer,
      clockTolerance: clockSkewSeconds,
      requiredClaims: ['exp', 'sub'],
    });
    checkAudience(payload, settings);
    if (Object.hasOwn(payload, 'nonce') || Object.hasOwn(payload, 'at_hash')) throw invalid('This is an id token; send the access token.');
    const kind = payload['typ'] ?? payload['token_use'];
    if (kind === 'Refresh' || kind === 'Offline' || kind === 'ID' || kind === 'id')
      throw invalid('This is not an access token; send the access token.');
    const sources: Record<string, unknown>[] = [payload];
    if (settings.lookup === 'userinfo') sources.push(await lookUpUser(keys, token, payload.sub ?? '', fetcher));
    return mapClaims(sources, settings.mapping, { issuer: settings.issuer, expiresAt: (payload.exp ?? 0) * 1000 });
  };

  /** Several calls with the same new token share one verification. */
  const verifyOnce = (key: string, token: string): Promise<Principal> => {
    let pending = underWay.get(key);
    if (pending === undefined) {
      pending = verify(token)
        .then((principal) => {
          cache.keep(key, principal);
          return principal;
        })
        .catch((thrown: unknown) => {
          const error = asGatewayError(thrown);
          if (error.status === 401) cache.keepBad(key, error);
          throw error;
        })
        .finally(() => underWay.delete(key));
      underWay.set(key, pending);
    }
    return pending;
  };

  return {
    authenticate(headers) {
      const token = tokenOf(headers);
      if (token.length > maxTokenLength)
        throw invalid('The token is longer than 32 kB. Let the gateway look roles up instead of carrying them in the token.');
      const key = cache.key(token);
      const known = cache.good(key, Date.now());
      if (known !== undefined) return known;
      if (token.split('.', 4).length !== 3) throw invalid('The token is not a JWT.');
      const bad = cache.bad(key);
      if (bad !== undefined) throw bad;
      return verifyOnce(key, token);
    },
    close() {
      for (const { keys } of issuers.values()) keys.close();
    },
  };
}
