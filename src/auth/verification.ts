/** One token, from its text to a principal, step by step. Each step can be listened to, so that what is explained is what is done. */
import { errors, type JWTPayload, jwtVerify } from 'jose';
import type { Principal } from '../types/access.ts';
import { GatewayError } from '../types/errors.ts';
import { type Claims, isServiceAccount, mapClaims } from './claims.ts';
import type { IssuerSettings } from './issuer.ts';
import type { IssuerKeys } from './issuer-keys.ts';
import type { LookupInput } from './lookups/lookup-input.ts';
import {
  algorithms,
  checkAudience,
  inspectToken,
  invalid,
  refuseNonCanonicalBase64,
  secretAlgorithms,
  parseUnverified,
  type UnverifiedToken,
} from './token-checks.ts';

export interface Issuer {
  readonly settings: IssuerSettings;
  readonly keys: IssuerKeys;
  /** One for each look-up of the settings, in their order. Throws or rejects with token_invalid or auth_unavailable. */
  readonly lookups: readonly ((asked: LookupInput) => Promise<Claims>)[];
}

/** Hears of each step that was passed, in words, with what it brought. */
export type Listener = (step: string, found: Readonly<Record<string, unknown>>) => void;

const clockSkewSeconds = 30;
/** A service that does not say how long an opaque token is good is asked again so soon. */
const unsaidMs = 60_000;

/** The issuer whose token it is. Throws token_invalid if there is none. */
function issuerOf(jwt: UnverifiedToken | null, issuers: readonly Issuer[]): Issuer {
  const name = jwt?.claims.iss;
  if (name !== undefined) {
    const issuer = issuers.find(({ settings }) => settings.named && settings.issuer === name);
    if (issuer === undefined) throw invalid('The token comes from an issuer that this gateway does not know.');
    return issuer;
  }
  // There is at most one of each kind: a token is never shown to a service that did not make it.
  const nameless = jwt === null ? undefined : issuers.find(({ settings }) => settings.tokens === 'jwt' && !settings.named);
  const issuer = nameless ?? issuers.find(({ settings }) => settings.tokens === 'opaque');
  if (issuer !== undefined) return issuer;
  throw invalid(
    jwt === null ? 'The token is not a JWT (three parts joined by dots).' : 'The token does not say who issued it (claim "iss").',
  );
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
        algorithms: settings.keys.from === 'secret' ? secretAlgorithms : algorithms,
        ...(settings.named ? { issuer: settings.issuer } : {}),
        clockTolerance: clockSkewSeconds,
        requiredClaims: settings.named ? ['exp', 'sub'] : ['exp'],
      });
      return payload;
    } catch (thrown) {
      if (!(thrown instanceof errors.JWSSignatureVerificationFailed)) throw thrown;
      refused = thrown;
    }
  }
  throw refused;
}

/** What the service says, all answers together; null where it is not asked. */
async function lookUp({ lookups }: Issuer, asked: LookupInput, hear: Listener): Promise<Claims | null> {
  if (lookups.length === 0) return null;
  let all: Record<string, unknown> = {};
  for (const ask of lookups) {
    const said = await ask(asked);
    all = { ...all, ...said };
    hear('the service was asked', said);
  }
  return all;
}

async function ofJwt(token: string, jwt: UnverifiedToken, issuer: Issuer, hear: Listener): Promise<Principal> {
  const { settings, keys } = issuer;
  refuseNonCanonicalBase64(token);
  const header = inspectToken(jwt, settings.keys.from === 'secret' ? secretAlgorithms : algorithms);
  hear('it is an access token', header);
  const claims = await verifiedClaims(token, await keys.keysFor(header), settings);
  hear('its signature and its times are good', { iss: claims.iss, sub: claims.sub, exp: claims.exp });
  checkAudience(claims, settings);
  hear('it is meant for this gateway', { aud: claims.aud, client_id: claims['client_id'], azp: claims['azp'] });
  const service = isServiceAccount(claims, settings.mapping);
  if (service && settings.lookups.length > 0) hear('it is a service account, about which nobody is asked', {});
  const { subject, username } = mapClaims({ token: claims, lookedUp: null }, settings.mapping, { issuer: settings.issuer, expiresAt: 0 });
  const lookedUp = service ? null : await lookUp(issuer, { token, subject, username }, hear);
  return mapClaims({ token: claims, lookedUp }, settings.mapping, { issuer: settings.issuer, expiresAt: (claims.exp ?? 0) * 1000 });
}

async function ofOpaque(token: string, issuer: Issuer, hear: Listener): Promise<Principal> {
  const { settings } = issuer;
  const [identify, ...others] = issuer.lookups;
  const said = await identify?.({ token, subject: null, username: null });
  if (said === undefined) throw invalid('There is nobody to ask about this token.');
  hear('the service was asked', said);
  const now = Date.now();
  const until = typeof said['exp'] === 'number' ? said['exp'] * 1000 : now + unsaidMs;
  if (until + clockSkewSeconds * 1000 <= now) throw new GatewayError('token_expired', 'The token has expired. Fetch a new one.');
  checkAudience(said, settings);
  hear('it is meant for this gateway', { aud: said['aud'], client_id: said['client_id'] });
  const fixed = { issuer: settings.issuer, expiresAt: until };
  const { subject, username } = mapClaims({ token: said, lookedUp: null }, settings.mapping, fixed);
  const lookedUp = await lookUp({ ...issuer, lookups: others }, { token, subject, username }, hear);
  return mapClaims({ token: said, lookedUp }, settings.mapping, fixed);
}

/** Rejects with token_invalid, token_expired, auth_unavailable, or what jose threw. */
export async function verifyToken(token: string, issuers: readonly Issuer[], hear: Listener = () => {}): Promise<Principal> {
  const jwt = parseUnverified(token);
  hear(
    jwt === null ? 'it is not a JWT: only its service can read it' : 'it is a JWT',
    jwt === null ? {} : { header: jwt.header, claims: jwt.claims },
  );
  const issuer = issuerOf(jwt, issuers);
  hear('its service is known', { issuer: issuer.settings.issuer });
  const principal =
    jwt !== null && issuer.settings.tokens === 'jwt' ? await ofJwt(token, jwt, issuer, hear) : await ofOpaque(token, issuer, hear);
  const { subject, username, tenant, roles, permissions, client } = principal;
  hear('it was read', { subject, username, tenant, roles, permissions: [...permissions], client });
  return principal;
}
