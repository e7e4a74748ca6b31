/** Where an issuer keeps its things, by its own published document (OpenID Connect Discovery, else RFC 8414). */

export interface Discovery {
  readonly jwksUri: string;
  readonly userinfoEndpoint: string | null;
}

const timeoutMs = 5_000;
const maxLength = 1_000_000;

/** A JSON object from `url`. Rejects on any other answer, after 5 seconds, or when `signal` says so. */
export async function fetchJson(url: string, fetcher: typeof fetch, signal: AbortSignal): Promise<Record<string, unknown>> {
  const response = await fetcher(url, {
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
    headers: { accept: 'application/json' },
    redirect: 'error',
  });
  const text = await response.text();
  if (!response.ok) throw new HttpFailure(url, response.status);
  if (text.length > maxLength) throw new Error(`${url} answered more than 1 MB`);
  const parsed: unknown = JSON.parse(text);
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed)) throw new Error(`${url} did not answer a JSON object`);
  return parsed as Record<string, unknown>;
}

class HttpFailure extends Error {
  readonly status: number;

  constructor(url: string, status: number) {
    super(`${url} answered ${status}`);
    this.name = 'HttpFailure';
    this.status = status;
  }
}

/** Rejects if the document names another issuer: then its keys would prove nothing. */
export async function discover(issuer: string, fetcher: typeof fetch, signal: AbortSignal): Promise<Discovery> {
  const document = await fetchJson(`${issuer.replace(/\/$/, '')}/.well-known/openid-configuration`, fetcher, signal).catch(
    (thrown: unknown) => {
      // A service without OpenID Connect has only the OAuth 2.0 document, whose name stands before the issuer's path.
      if (!(thrown instanceof HttpFailure) || thrown.status !== 404) throw thrown;
      const { origin, pathname } = new URL(issuer);
      return fetchJson(`${origin}/.well-known/oauth-authorization-server${pathname.replace(/\/$/, '')}`, fetcher, signal);
    },
  );
  const { issuer: said, jwks_uri: jwksUri, userinfo_endpoint: userinfo } = document;
  if (said !== issuer) throw new Error(`the discovery document of ${issuer} names another issuer: ${JSON.stringify(said)}`);
  if (typeof jwksUri !== 'string') throw new Error(`the discovery document of ${issuer} names no jwks_uri`);
  return { jwksUri, userinfoEndpoint: typeof userinfo === 'string' ? userinfo : null };
}
