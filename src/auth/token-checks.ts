/** Checks of tokens without keys: before the signature because they are cheap, and rules on claims that jose does not have. */
import type { IncomingHttpHeaders } from 'node:http';
import { decodeJwt, decodeProtectedHeader, errors, type JWTPayload } from 'jose';
import { GatewayError } from '../types/errors.ts';
import type { IssuerSettings } from './issuer.ts';

/** Longer tokens are refused without parsing. */
const maxTokenLength = 32_768;
/** Asymmetric algorithms, for all issuers without a shared secret. A public key is never accepted as a secret. */
export const algorithms = ['RS256', 'RS384', 'RS512', 'PS256', 'PS384', 'PS512', 'ES256', 'ES384', 'ES512', 'EdDSA', 'Ed25519'];
/** HMAC, only for issuers that were set up with a shared secret. */
export const secretAlgorithms = ['HS256', 'HS384', 'HS512'];
const tokenTypes = ['jwt', 'at+jwt', 'application/at+jwt'];
/** Claim values of tokens that are not access tokens (Keycloak `typ`, Cognito `token_use`). */
const otherKinds = ['id', 'refresh', 'offline', 'logout'];

export const invalid = (message: string, cause?: unknown, details?: string): GatewayError =>
  new GatewayError('token_invalid', message, { cause, details });

/** The token of a request, never from the query string. Two different tokens are refused as ambiguous. `tokenHeader`: an additional header for tokens, in lower case. */
export function bearerTokenOf(headers: IncomingHttpHeaders, tokenHeader: string | null = null): string {
  const { authorization } = headers;
  let token: string | undefined;
  if (authorization !== undefined) {
    token = bearerToken(authorization);
    if (token === undefined) throw invalid('The Authorization header must be "Bearer <token>".');
  }
  token = sameToken(token, withoutScheme(headers['x-api-key']), 'x-api-key');
  if (tokenHeader !== null) token = sameToken(token, withoutScheme(headers[tokenHeader]), tokenHeader);
  if (token === undefined)
    throw new GatewayError('token_missing', 'Send a token of your OAuth2 service as "Authorization: Bearer <token>".');
  if (token.length > maxTokenLength)
    throw invalid('The token is longer than 32 kB. Let the gateway look roles up instead of carrying them in the token.');
  return token;
}

function sameToken(token: string | undefined, header: string | string[] | undefined, name: string): string | undefined {
  if (header === undefined || header === '') return token;
  if (typeof header !== 'string') throw invalid(`Send exactly one ${name} header.`);
  if (token !== undefined && token !== header) throw invalid(`Authorization and ${name} carry two different tokens; send one.`);
  return header;
}

export function bearerToken(authorization: string): string | undefined {
  // The common form needs no regular expression; this runs on every call.
  if (authorization.startsWith('Bearer ') && authorization.length > 7 && !authorization.includes(' ', 7)) return authorization.slice(7);
  return /^Bearer +(?:Bearer +)?([^\s]+) *$/i.exec(authorization)?.[1];
}

/** A pasted `Bearer <token>` in the place of the token alone. */
function withoutScheme(header: string | string[] | undefined): string | string[] | undefined {
  return typeof header === 'string' ? header.replace(/^Bearer +/i, '') : header;
}

/** A parsed JWT. Nothing is verified. */
export interface UnverifiedToken {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: JWTPayload;
}

/** Null for a text that is not a JWT. */
export function parseUnverified(token: string): UnverifiedToken | null {
  if (token.split('.', 4).length !== 3) return null;
  try {
    return { header: { ...decodeProtectedHeader(token) }, claims: decodeJwt(token) };
  } catch {
    return null;
  }
}

/**
 * Base64url has several spellings of the same bytes: padding, other letters, unused bits. A signature would be valid in each, so one
 * token would have several cache keys. Throws `token_invalid` for all but the canonical one.
 */
export function refuseNonCanonicalBase64(token: string): void {
  for (const part of token.split('.')) {
    if (Buffer.from(part, 'base64url').toString('base64url') !== part)
      throw invalid('The token is not written as a JWT must be (base64url without padding).');
  }
}

/** Refuses tokens that no signature could make valid. The result still has to be verified. Throws `token_invalid`. */
export function inspectToken({ header, claims }: UnverifiedToken, allowed: readonly string[]): { alg: string; kid?: string } {
  const { alg, kid, typ } = header;
  if (typeof alg !== 'string' || !allowed.includes(alg)) throw invalid('The token is signed in a way that is not accepted here.');
  if (kid !== undefined && typeof kid !== 'string') throw invalid('The token names its key in a way that is not accepted here.');
  if (typ !== undefined && (typeof typ !== 'string' || !tokenTypes.includes(typ.toLowerCase())))
    throw invalid('This kind of token is not accepted here (header "typ"); send an access token.');
  // RFC 7515 4.1.11: an unknown critical extension makes a token invalid, and Pailou knows none.
  if (Object.hasOwn(header, 'crit')) throw invalid('The token demands an extension (header "crit") that is not known here.');
  if (typeof claims.exp !== 'number')
    throw invalid('The token never expires (claim "exp" is missing). Only tokens that expire are accepted.');
  if (Object.hasOwn(claims, 'nonce') || Object.hasOwn(claims, 'at_hash')) throw invalid('This is an id token; send the access token.');
  for (const kind of [claims['typ'], claims['token_use']]) {
    if (typeof kind === 'string' && otherKinds.includes(kind.toLowerCase()))
      throw invalid('This is not an access token; send the access token.');
  }
  return kid === undefined ? { alg } : { alg, kid };
}

/** Throws `token_invalid` if the token was issued for another service or another client. */
export function checkAudience(claims: JWTPayload, settings: IssuerSettings): void {
  const audiences = [claims.aud ?? []].flat();
  if (settings.audiences.length > 0 && !settings.audiences.some((each) => audiences.includes(each)))
    throw invalid('The token was issued for another service (claim "aud"). Fetch one for this gateway.');
  if (settings.allowedClients.length === 0) return;
  const clients = [claims['azp'], claims['client_id'], ...audiences];
  if (!settings.allowedClients.some((each) => clients.includes(each)))
    throw invalid('The token was issued to a client that may not be used here.');
}

/** The detail of a token that is valid later: the clock of this node is behind, or was stepped backwards. */
export const notYetValid = 'not valid yet';

/** Converts jose's errors to messages with a remedy. */
export function asGatewayError(thrown: unknown): GatewayError {
  if (thrown instanceof GatewayError) return thrown;
  if (thrown instanceof errors.JWTExpired)
    return new GatewayError('token_expired', 'The token has expired. Fetch a new one.', { cause: thrown });
  if (thrown instanceof errors.JWTClaimValidationFailed) {
    return thrown.claim === 'nbf'
      ? invalid('The token is not valid yet (claim "nbf"). If it is new, the clocks of the two services differ.', thrown, notYetValid)
      : invalid(`The token's claim "${thrown.claim}" is missing or not as it must be here. Fetch a new token for this gateway.`, thrown);
  }
  return invalid('The token cannot be trusted. Fetch a new one from your OAuth2 service.', thrown);
}
