/** Roles and permissions looked up at the identity service. A failed look-up is never replaced by the token's own claims. */
import { GatewayError } from '../types/errors.ts';
import type { Logger } from '../types/logger.ts';
import type { IssuerKeys } from './keys.ts';

const timeoutMs = 5_000;
const maxLength = 1_000_000;

export interface UserQuestion {
  readonly keys: Pick<IssuerKeys, 'discovery'>;
  readonly token: string;
  /** `sub` of the verified token; the answer must be about the same. */
  readonly subject: string;
  readonly fetch: typeof fetch;
  readonly logger: Logger;
}

/** The answer of the userinfo endpoint for this token. Throws `token_invalid` if the service refuses it, `auth_unavailable` if it cannot be asked. */
export async function lookUpUser(question: UserQuestion): Promise<Readonly<Record<string, unknown>>> {
  const { userinfoEndpoint } = await question.keys.discovery();
  try {
    if (userinfoEndpoint === null) throw new Error('the issuer has no userinfo endpoint; set PAILOU_OAUTH_LOOKUP=claims');
    const response = await question.fetch(userinfoEndpoint, {
      headers: { authorization: `Bearer ${question.token}`, accept: 'application/json' },
      signal: AbortSignal.timeout(timeoutMs),
      redirect: 'error',
    });
    const text = await response.text();
    if (response.status === 401 || response.status === 403)
      throw new GatewayError('token_invalid', 'The identity service does not accept the token any more. Fetch a new one.');
    if (!response.ok) throw new Error(`userinfo answered ${response.status}`);
    if (text.length > maxLength) throw new Error('userinfo answered more than 1 MB');
    const user: unknown = JSON.parse(text);
    if (typeof user !== 'object' || user === null || Array.isArray(user)) throw new Error('userinfo is not a JSON object');
    // OpenID Connect Core 5.3.2: an answer about somebody else must not be used.
    if (!Object.hasOwn(user, 'sub') || (user as { sub: unknown }).sub !== question.subject)
      throw new Error('userinfo speaks of another subject');
    return user as Record<string, unknown>;
  } catch (thrown) {
    if (thrown instanceof GatewayError) throw thrown;
    question.logger.warn({ err: thrown, endpoint: userinfoEndpoint }, 'userinfo cannot be asked; the call is refused');
    throw new GatewayError(
      'auth_unavailable',
      'The identity service cannot be asked about your roles, so your call cannot be let in. Try again soon.',
      { retryAfterSeconds: 5, cause: thrown },
    );
  }
}
