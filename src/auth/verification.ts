/** Verifies one token step by step. Each step is reported, so that the explanation shows the actual verification. */
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

export interface IssuerLookup {
  /** Rejects with token_invalid or auth_unavailable. */
  ask(input: LookupInput): Promise<Claims>;
  /** False when it can be made about a person without their token. */
  readonly needsToken: boolean;
}

export interface Issuer {
  readonly settings: IssuerSettings;
  readonly keys: IssuerKeys;
  /** The look-ups of the settings, in order. */
  readonly lookups: readonly IssuerLookup[];
}

/** Called for each passed step, with a description and its result. */
export type StepListener = (step: string, found: Readonly<Record<string, unknown>>) => void;

const clockSkewSeconds = 30;
/** The cache time of an opaque token whose lifetime the service does not report. */
const defaultOpaqueTtlMs = 60_000;

/** The issuer of the token. Throws token_invalid if there is none. */
function issuerOf(jwt: UnverifiedToken | null, issuers: readonly Issuer[]): Issuer {
  const name = jwt?.claims.iss;
  if (name !== undefined) {
    const issuer = issuers.find(({ settings }) => settings.named && settings.issuer === name);
    if (issuer === undefined) throw invalid('The token comes from an issuer that this gateway does not know.');
    return issuer;
  }
  // There is at most one of each kind, so that a token is never sent to a service that did not issue it.
  const nameless = jwt === null ? undefined : issuers.find(({ settings }) => settings.tokens === 'jwt' && !settings.named);
  const issuer = nameless ?? issuers.find(({ settings }) => settings.tokens === 'opaque');
  if (issuer !== undefined) return issuer;
  throw invalid(
    jwt === null ? 'The token is not a JWT (three parts joined by dots).' : 'The token does not say who issued it (claim "iss").',
  );
}

/** The claims, if one of the keys made the signature. A token without `kid` may match several. */
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

/** The merged answers of all look-ups; null when there is none. */
async function lookUp({ lookups }: Issuer, input: LookupInput, onStep: StepListener): Promise<Claims | null> {
  if (lookups.length === 0) return null;
  let all: Record<string, unknown> = {};
  for (const lookup of lookups) {
    const answer = await lookup.ask(input);
    all = { ...all, ...answer };
    onStep('the service answered', answer);
  }
  return all;
}

async function ofJwt(token: string, jwt: UnverifiedToken, issuer: Issuer, onStep: StepListener): Promise<Principal> {
  const { settings, keys } = issuer;
  refuseNonCanonicalBase64(token);
  const header = inspectToken(jwt, settings.keys.from === 'secret' ? secretAlgorithms : algorithms);
  onStep('it is an access token', header);
  const claims = await verifiedClaims(token, await keys.keysFor(header), settings);
  onStep('its signature and its times are valid', { iss: claims.iss, sub: claims.sub, exp: claims.exp });
  checkAudience(claims, settings);
  onStep('its audience is this gateway', { aud: claims.aud, client_id: claims['client_id'], azp: claims['azp'] });
  const service = isServiceAccount(claims, settings.mapping);
  if (service && settings.lookups.length > 0) onStep('it is a service account, so no look-up is made', {});
  const { subject, username } = mapClaims({ token: claims, lookedUp: null }, settings.mapping, { issuer: settings.issuer, expiresAt: 0 });
  const lookedUp = service ? null : await lookUp(issuer, { token, subject, username }, onStep);
  return mapClaims({ token: claims, lookedUp }, settings.mapping, { issuer: settings.issuer, expiresAt: (claims.exp ?? 0) * 1000 });
}

async function ofOpaque(token: string, issuer: Issuer, onStep: StepListener): Promise<Principal> {
  const { settings } = issuer;
  const [identify, ...others] = issuer.lookups;
  const answer = await identify?.ask({ token, subject: null, username: null });
  if (answer === undefined) throw invalid('No look-up is configured that can verify this token.');
  onStep('the service answered', answer);
  const now = Date.now();
  const until = typeof answer['exp'] === 'number' ? answer['exp'] * 1000 : now + defaultOpaqueTtlMs;
  if (until + clockSkewSeconds * 1000 <= now) throw new GatewayError('token_expired', 'The token has expired. Fetch a new one.');
  checkAudience(answer, settings);
  onStep('its audience is this gateway', { aud: answer['aud'], client_id: answer['client_id'] });
  const fixed = { issuer: settings.issuer, expiresAt: until };
  const { subject, username } = mapClaims({ token: answer, lookedUp: null }, settings.mapping, fixed);
  const lookedUp = await lookUp({ ...issuer, lookups: others }, { token, subject, username }, onStep);
  return mapClaims({ token: answer, lookedUp }, settings.mapping, fixed);
}

/** Rejects with token_invalid, token_expired, auth_unavailable, or jose's error. */
export async function verifyToken(token: string, issuers: readonly Issuer[], onStep: StepListener = () => {}): Promise<Principal> {
  const jwt = parseUnverified(token);
  onStep(
    jwt === null ? 'it is not a JWT: only its service can read it' : 'it is a JWT',
    jwt === null ? {} : { header: jwt.header, claims: jwt.claims },
  );
  const issuer = issuerOf(jwt, issuers);
  onStep('its service is known', { issuer: issuer.settings.issuer });
  const principal =
    jwt !== null && issuer.settings.tokens === 'jwt' ? await ofJwt(token, jwt, issuer, onStep) : await ofOpaque(token, issuer, onStep);
  const { subject, username, tenant, roles, permissions, client } = principal;
  onStep('its claims are mapped', { subject, username, tenant, roles, permissions: [...permissions], client });
  return principal;
}
