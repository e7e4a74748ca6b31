/** Verifies logout tokens of issuers. OpenID Connect Back-Channel Logout 1.0, section 2.6. */
import { errors, type JWTPayload, jwtVerify } from 'jose';
import type { Issuer } from './verification.ts';
import { algorithms, invalid, refuseNonCanonicalBase64, secretAlgorithms, parseUnverified } from './token-checks.ts';

export interface LogoutToken {
  readonly issuer: string;
  /** At least one of `subject` and the session id is present. */
  readonly subject: string | null;
  readonly sid: string | null;
  readonly jti: string;
  /** Epoch milliseconds after which it is refused. */
  readonly expiresAt: number;
}

const event = 'http://schemas.openid.net/event/backchannel-logout';
const types = ['logout+jwt', 'application/logout+jwt', 'jwt'];
const clockSkewSeconds = 30;
/** The lifetime of a token without an expiry, from its issue time. */
const longestSeconds = 300;
const longestText = 256;

const text = (value: unknown): string | null => (typeof value === 'string' && value !== '' && value.length <= longestText ? value : null);
const isObject = (value: unknown): value is Record<string, unknown> => typeof value === 'object' && value !== null && !Array.isArray(value);

async function verified(token: string, { keys, settings }: Issuer, header: { alg: string; kid?: string }): Promise<JWTPayload> {
  const { client, allowedClients } = settings;
  const audience = client === null ? [...allowedClients] : [client.id];
  if (audience.length === 0) throw invalid('No client of this gateway is set up at this issuer, so no logout token has it as audience.');
  let refused: unknown = invalid('The logout token is not signed with a key of its issuer.');
  for (const key of await keys.keysFor(header)) {
    try {
      const { payload } = await jwtVerify(token, key, {
        algorithms: settings.keys.from === 'secret' ? secretAlgorithms : algorithms,
        issuer: settings.issuer,
        audience,
        clockTolerance: clockSkewSeconds,
        requiredClaims: ['iat', 'jti', 'events'],
      });
      return payload;
    } catch (thrown) {
      if (!(thrown instanceof errors.JWSSignatureVerificationFailed)) throw thrown;
      refused = thrown;
    }
  }
  throw refused;
}

/** Rejects with token_invalid, auth_unavailable, or jose's error. */
export async function verifyLogoutToken(token: string, issuers: readonly Issuer[]): Promise<LogoutToken> {
  const jwt = parseUnverified(token);
  if (jwt === null) throw invalid('The logout token is not a JWT.');
  refuseNonCanonicalBase64(token);
  const issuer = issuers.find(({ settings }) => settings.named && settings.issuer === jwt.claims.iss);
  if (issuer === undefined) throw invalid('The logout token comes from an issuer that this gateway does not know.');
  const { alg, kid, typ } = jwt.header;
  const allowed = issuer.settings.keys.from === 'secret' ? secretAlgorithms : algorithms;
  if (
    typeof alg !== 'string' ||
    !allowed.includes(alg) ||
    (kid !== undefined && typeof kid !== 'string') ||
    Object.hasOwn(jwt.header, 'crit')
  )
    throw invalid('The logout token is signed in a way that is not accepted here.');
  if (typ !== undefined && (typeof typ !== 'string' || !types.includes(typ.toLowerCase())))
    throw invalid('This kind of token is not a logout token (header "typ").');
  const claims = await verified(token, issuer, kid === undefined ? { alg } : { alg, kid });
  const { events } = claims;
  if (!isObject(events) || !Object.hasOwn(events, event) || !isObject(events[event]))
    throw invalid('The token reports no sign-out (claim "events").');
  if (Object.hasOwn(claims, 'nonce')) throw invalid('A logout token has no nonce; this is another kind of token.');
  const [subject, sid, jti] = [text(claims.sub), text(claims['sid']), text(claims.jti)];
  if (jti === null) throw invalid('The logout token has no id (claim "jti").');
  if (subject === null && sid === null)
    throw invalid('The logout token names neither the person (claim "sub") nor the session (claim "sid").');
  const madeAt = claims.iat ?? 0;
  const now = Date.now() / 1_000;
  if (madeAt > now + clockSkewSeconds || madeAt < now - longestSeconds - clockSkewSeconds)
    throw invalid('The logout token is too old, or from the future (claim "iat").');
  return { issuer: issuer.settings.issuer, subject, sid, jti, expiresAt: (madeAt + longestSeconds + 2 * clockSkewSeconds) * 1_000 };
}
