/** Fetches a person's token from the development identity service. */
import { GatewayError } from '../../types/errors.ts';

/** A grant type of the development service: a person's token without a browser. */
export const personGrant = 'urn:pailou:params:oauth:grant-type:development-person';
export const developmentClient = 'pailou-development';
/** The client id of `pailou login`. */
export const developmentCommandLine = 'pailou-cli';

/** A service on a busy machine answers late, so only one that is frozen reaches this. */
const longestWaitMs = 60_000;

/** Throws `auth_unavailable` with a plain sentence when no development service answers. */
export async function fetchDevelopmentToken(issuer: string, person: string, waitMs = longestWaitMs): Promise<string> {
  let response: Response;
  try {
    response = await fetch(`${issuer}/token`, {
      method: 'POST',
      headers: { 'content-type': 'application/x-www-form-urlencoded' },
      body: new URLSearchParams({ grant_type: personGrant, client_id: developmentClient, person }),
      signal: AbortSignal.timeout(waitMs),
    });
  } catch (cause) {
    if (cause instanceof Error && cause.name === 'TimeoutError')
      throw new GatewayError(
        'auth_unavailable',
        `The development identity service at ${issuer} did not answer within ${waitMs / 1000} s. Look at the terminal of the gateway, and try again.`,
        { cause },
      );
    const remedy = 'Start Pailou first: npx pailou start';
    throw new GatewayError('auth_unavailable', `No development identity service answers at ${issuer}. ${remedy}`, { cause });
  }
  const answer = (await response.json().catch(() => null)) as { access_token?: string; error_description?: string } | null;
  if (response.ok && answer?.access_token !== undefined) return answer.access_token;
  throw new GatewayError(
    'auth_unavailable',
    `The service at ${issuer} gave no token: ${answer?.error_description ?? `status ${response.status}`}.`,
  );
}
