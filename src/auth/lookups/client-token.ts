/** Access tokens of Pailou's own client, for look-ups (client credentials grant, RFC 6749 4.4). */
import type { Discovery } from '../discovery.ts';
import type { ServiceClient } from '../issuer.ts';
import { Lifetime } from '../../scheduling/monotonic-clock.ts';

export interface ClientToken {
  /** The current token, shared by all look-ups until shortly before it expires. Rejects when the service issues none. */
  get(): Promise<string>;
  /** The service refused the token: `get` fetches a new one. */
  refused(token: string): void;
}

export interface ClientTokenOptions {
  readonly client: ServiceClient;
  readonly discovery: Discovery;
  readonly fetch: typeof fetch;
}

const timeoutMs = 5_000;
const marginMs = 10_000;
/** Used when the service does not declare `expires_in`. */
const shortLifeSeconds = 60;

/** RFC 6749 2.3.1: both are form-encoded before they are joined. */
export function basicAuthorization({ id, secret }: ServiceClient): string {
  const encoded = (text: string): string => new URLSearchParams([['', text]]).toString().slice(1);
  return `Basic ${Buffer.from(`${encoded(id)}:${encoded(secret)}`).toString('base64')}`;
}

export function createClientToken({ client, discovery, fetch }: ClientTokenOptions): ClientToken {
  let current: { readonly token: string; readonly life: Lifetime } | null = null;
  let pending: Promise<string> | null = null;

  const request = async (): Promise<string> => {
    const url = client.tokenUrl ?? (await discovery.known()).token_endpoint;
    if (url === null) throw new Error('the discovery document names no token_endpoint; write client.token_url');
    const form = { grant_type: 'client_credentials', ...(client.lookupScope === null ? {} : { scope: client.lookupScope }) };
    const response = await fetch(url, {
      method: 'POST',
      headers: {
        accept: 'application/json',
        authorization: basicAuthorization(client),
        'content-type': 'application/x-www-form-urlencoded',
      },
      body: new URLSearchParams(form).toString(),
      signal: AbortSignal.timeout(timeoutMs),
      redirect: 'error',
    });
    const answer = (await response.json()) as { readonly access_token?: unknown; readonly expires_in?: unknown; readonly error?: unknown };
    const { access_token: token, expires_in: seconds, error } = answer;
    if (!response.ok || typeof token !== 'string' || token === '')
      throw new Error(
        `the token endpoint gave this gateway's client no token: ${response.status} ${typeof error === 'string' ? error.slice(0, 100) : ''}`,
      );
    const life = typeof seconds === 'number' && seconds > 0 ? seconds : shortLifeSeconds;
    current = { token, life: new Lifetime(life * 1_000 - marginMs) };
    return token;
  };

  return {
    async get() {
      if (current !== null && !current.life.isOver) return current.token;
      return (pending ??= request().finally(() => (pending = null)));
    },
    refused(token) {
      if (current?.token === token) current = null;
    },
  };
}
