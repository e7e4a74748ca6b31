/** Microsoft Entra tokens of a service principal, fetched on demand and cached until shortly before they expire. */
import { GatewayError } from '../../types/errors.ts';

export interface ServicePrincipal {
  readonly tenant_id: string;
  readonly client_id: string;
  readonly client_secret: string;
}

const scope = 'https://cognitiveservices.azure.com/.default';
const earlyMs = 120_000;
const patienceMs = 10_000;

function refused(why: string, cause?: unknown): GatewayError {
  return new GatewayError(
    'upstream_authentication',
    "Microsoft Entra gave no token for Pailou's service principal. Tell your administrator.",
    {
      details: why,
      cause,
    },
  );
}

/** Concurrent calls share one fetch. Rejects with `upstream_authentication`. */
export function createEntraToken(
  principal: ServicePrincipal,
  send: typeof fetch,
  authority = 'https://login.microsoftonline.com',
): () => Promise<string> {
  /** Both clocks count: the wall clock may be stepped, and the other one stands still while a machine sleeps. */
  let cached: { readonly token: string; readonly until: number; readonly end: number } | null = null;
  let fetching: Promise<string> | null = null;

  const fetchToken = async (): Promise<string> => {
    let answer: unknown;
    try {
      const response = await send(`${authority}/${encodeURIComponent(principal.tenant_id)}/oauth2/v2.0/token`, {
        method: 'POST',
        headers: { 'content-type': 'application/x-www-form-urlencoded' },
        body: new URLSearchParams({
          grant_type: 'client_credentials',
          client_id: principal.client_id,
          client_secret: principal.client_secret,
          scope,
        }).toString(),
        signal: AbortSignal.timeout(patienceMs),
      });
      answer = await response.json();
      if (!response.ok)
        throw refused(`status ${response.status}: ${JSON.stringify((answer as { error?: unknown } | null)?.error ?? null).slice(0, 200)}`);
    } catch (cause) {
      throw cause instanceof GatewayError ? cause : refused('it could not be reached', cause);
    }
    const { access_token: token, expires_in: seconds } = answer as { access_token?: unknown; expires_in?: unknown };
    if (typeof token !== 'string' || token === '') throw refused('its answer holds no access_token');
    const lifeMs = Number(seconds ?? 0) * 1_000 - earlyMs;
    cached = { token, until: Date.now() + lifeMs, end: performance.now() + lifeMs };
    return token;
  };

  return () => {
    if (cached !== null && cached.until > Date.now() && cached.end > performance.now()) return Promise.resolve(cached.token);
    fetching ??= fetchToken().finally(() => {
      fetching = null;
    });
    return fetching;
  };
}
