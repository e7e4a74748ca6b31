/** Reads an issuer's metadata document (OpenID Connect Discovery, else RFC 8414). */
import { wallAge } from '../scheduling/monotonic-clock.ts';

export interface DiscoveryDocument {
  readonly jwks_uri: string | null;
  readonly userinfo_endpoint: string | null;
  readonly introspection_endpoint: string | null;
  readonly token_endpoint: string | null;
}

export interface Discovery {
  /** The last valid document at once; an expired one is refreshed in the background. Rejects when there is none. */
  known(): Promise<DiscoveryDocument>;
  /** Waits for a new document when the last has expired or `again` is set. Returns the last valid one while the service is unavailable. Rejects when there is none. */
  fresh(again: boolean): Promise<DiscoveryDocument>;
}

const timeoutMs = 5_000;
const maxLength = 1_000_000;
const freshMs = 600_000;
/** The minimum time between attempts when there is no document: callers wait, but a starting service is not overloaded. */
const pauseMs = 1_000;

/** A JSON object from `url`. Rejects on any other answer, after 5 seconds, or when `signal` is aborted. */
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

async function discover(issuer: string, baseUrl: string, fetcher: typeof fetch, signal: AbortSignal): Promise<DiscoveryDocument> {
  const document = await fetchJson(`${baseUrl}/.well-known/openid-configuration`, fetcher, signal).catch((thrown: unknown) => {
    // A service without OpenID Connect has only the OAuth 2.0 document, whose well-known segment precedes the issuer's path.
    if (!(thrown instanceof HttpFailure) || thrown.status !== 404) throw thrown;
    const { origin, pathname } = new URL(baseUrl);
    return fetchJson(`${origin}/.well-known/oauth-authorization-server${pathname.replace(/\/$/, '')}`, fetcher, signal);
  });
  // Keys of another issuer would not prove anything.
  const documentIssuer = document['issuer'];
  if (documentIssuer !== issuer)
    throw new Error(`the discovery document of ${issuer} names another issuer: ${JSON.stringify(documentIssuer)}`);
  const address = (name: keyof DiscoveryDocument): string | null => {
    const value = document[name];
    return typeof value === 'string' ? value : null;
  };
  return {
    jwks_uri: address('jwks_uri'),
    userinfo_endpoint: address('userinfo_endpoint'),
    introspection_endpoint: address('introspection_endpoint'),
    token_endpoint: address('token_endpoint'),
  };
}

export function createDiscovery(options: {
  readonly issuer: string;
  readonly baseUrl: string;
  readonly fetch: typeof fetch;
  readonly signal: AbortSignal;
}): Discovery {
  let found: { readonly document: DiscoveryDocument; readonly at: number } | null = null;
  let failed: { readonly error: unknown; readonly at: number } | null = null;
  let underWay: Promise<DiscoveryDocument> | null = null;

  const refresh = (): Promise<DiscoveryDocument> =>
    (underWay ??= discover(options.issuer, options.baseUrl, options.fetch, options.signal)
      .then(
        (document) => {
          found = { document, at: Date.now() };
          failed = null;
          return document;
        },
        (error: unknown) => {
          failed = { error, at: Date.now() };
          if (found === null) throw error;
          return found.document;
        },
      )
      .finally(() => {
        underWay = null;
      }));

  return {
    async known() {
      const now = Date.now();
      if (found === null) {
        if (failed !== null && wallAge(failed.at, now) < pauseMs) throw failed.error;
        return refresh();
      }
      if (wallAge(found.at, now) >= freshMs && (failed === null || wallAge(failed.at, now) >= freshMs)) refresh().catch(() => {});
      return found.document;
    },
    async fresh(again) {
      return found !== null && !again && wallAge(found.at) < freshMs ? found.document : refresh();
    },
  };
}
