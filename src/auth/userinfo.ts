/** Roles and permissions looked up at the identity service. A failed look-up is never replaced by the token's own claims. */
import { GatewayError } from '../types/errors.ts';
import type { IssuerKeys } from './keys.ts';

const timeoutMs = 5_000;
const maxBytes = 1_000_000;

const unavailable = (cause: unknown): GatewayError =>
  new GatewayError(
    'auth_unavailable',
    'The identity service cannot be asked about your roles, so your call cannot be let in. Try again soon.',
    { retryAfterSeconds: 5, cause },
  );

/** The answer of the userinfo endpoint for this token. Throws `token_invalid` if the service refuses it, `auth_unavailable` if it cannot be asked. */
export async function lookUpUser(
  keys: IssuerKeys,
  token: string,
  subject: string,
  fetcher: typeof fetch,
): Promise<Record<string, unknown>> {
  const { userinfoEndpoint } = await keys.discovery();
  if (userinfoEndpoint === null) throw unavailable(new Error('the issuer has no userinfo endpoint'));
  let response: Response;
  let text: string;
  try {
    response = await fetcher(userinfoEndpoint, {
      headers: { authorization: `Bearer ${token}`, accept: 'application/json' },
      signal: AbortSignal.timeout(timeoutMs),
      redirect: 'error',
    });
    text = await response.text();
  } catch (cause) {
    throw unavailable(cause);
  }
  if (response.status === 401 || response.status === 403)
    throw new GatewayError('token_invalid', 'The identity service does not accept the token any more. Fetch a new one.');
  if (!response.ok || text.length > maxBytes) throw unavailable(new Error(`userinfo answered ${response.status}`));
  let user: unknown;
  try {
    user = JSON.parse(text);
  } catch (cause) {
    throw unavailable(cause);
  }
  if (typeof user !== 'object' || user === null || Array.isArray(user)) throw unavailable(new Error('userinfo is not an object'));
  const claims = user as Record<string, unknown>;
  // OpenID Connect Core 5.3.2: an answer about somebody else must not be used.
  if (claims['sub'] !== subject) throw unavailable(new Error('userinfo speaks of another subject'));
  return claims;
}
