/** A `fetch` that adds a bearer token for the MCP server. It gets the token on demand and a new one after a 401. */
import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { PersonalAccounts } from '../../../../types/accounts.ts';
import { GatewayError } from '../../../../types/errors.ts';
import type { ToolContext } from '../../../../types/tool-source.ts';
import type { PluginServices } from '../../../../types/plugin.ts';
import type { Credentials } from './credential-options.ts';
import type { TokenSource } from './token-source.ts';
import { createUserAccounts } from './user-accounts.ts';
import { type ClientCredentials, createTokenEndpoint, type IssuedToken } from './token-endpoint.ts';
import { monotonicNow } from '../../../../scheduling/monotonic-clock.ts';

const mostTokens = 5_000;
/** Number of recent tokens to redact, because a server may repeat them in its errors. */
const mostRedacted = 200;
/** A token is renewed when it has less than this left, so that it outlasts the call. */
const renewBeforeMs = 30_000;
/** Time without a new request to the token endpoint after a failure. */
const retryMs = 2_000;

const digestOf = (text: string): string => createHash('sha256').update(text).digest('base64url');

/** Tokens for Pailou itself, or one in exchange for each caller's. `onToken` gets each token, so that it can be redacted in the server's answers. */
export function createIssuedTokens(
  options: ClientCredentials,
  { fetch: guarded, tokenExchange }: Pick<PluginServices, 'fetch' | 'tokenExchange'>,
  onToken: (token: string) => void,
): TokenSource {
  const endpoint = createTokenEndpoint(options, guarded);
  const issue = async (subject: string | null, context: ToolContext | null): Promise<IssuedToken> => {
    if (subject !== null) await tokenExchange.require(options.token_url, context?.principal.issuer ?? '');
    return endpoint.fetch(subject);
  };
  const tokens = new LRUCache<string, Promise<IssuedToken>>({ max: mostTokens });
  const failures = new LRUCache<string, { readonly at: number; readonly error: unknown }>({ max: 1_000 });

  const subjectOf = (context: ToolContext | null): string | null => {
    if (options.type === 'client_credentials') return null;
    const subject = context?.subjectToken?.() ?? null;
    if (subject !== null) return subject;
    throw new GatewayError(
      'permission_denied',
      "This MCP server exchanges the caller's own access token. Send one; an API key or a browser cookie cannot be exchanged.",
    );
  };

  return {
    async token(context, refused) {
      const subject = subjectOf(context);
      // Keyed by token: another token of the same user may have fewer rights, so it is exchanged separately.
      const key = subject === null ? '' : digestOf(subject);
      const kept = tokens.get(key);
      const known = await kept?.catch(() => null);
      if (known != null && known.token !== refused && known.expiresAt - renewBeforeMs > Date.now()) return known.token;
      const failure = failures.get(key);
      if (failure !== undefined && failure.at + retryMs > monotonicNow()) throw failure.error;
      // Callers that wait for the same token share one request.
      const pending = tokens.get(key);
      const wanted = pending !== undefined && pending !== kept ? pending : issue(subject, context);
      tokens.set(key, wanted);
      try {
        const issued = await wanted;
        onToken(issued.token);
        const ends = context === null || subject === null ? Infinity : context.principal.expiresAt;
        if (issued.expiresAt > ends && tokens.get(key) === wanted) tokens.set(key, Promise.resolve({ ...issued, expiresAt: ends }));
        return issued.token;
      } catch (error) {
        if (tokens.get(key) === wanted) tokens.delete(key);
        failures.set(key, { at: monotonicNow(), error });
        throw error;
      }
    },
  };
}

/** `latest` gives the caller's latest request, whose token may be newer than that of the connection's first. */
export function authorised(guarded: typeof fetch, source: TokenSource, latest: () => ToolContext | null): typeof fetch {
  return async (input, init) => {
    const send = async (token: string): Promise<Response> => {
      const headers = new Headers(init?.headers);
      headers.set('authorization', `Bearer ${token}`);
      return guarded(input, { ...init, headers });
    };
    const context = latest();
    const token = await source.token(context);
    const response = await send(token);
    if (response.status !== 401) return response;
    const other = await source.token(context, token);
    if (other === token) return response;
    await response.body?.cancel();
    return send(other);
  };
}

export interface Tokens {
  /** Null for a server without authentication. */
  readonly tokens: TokenSource | null;
  readonly secrets: readonly string[];
  readonly accounts?: PersonalAccounts;
}

/** The token source for a row's credentials, null for none, and all secrets to redact. The secrets grow with each token. */
export async function tokensFor(given: Credentials, fixed: readonly string[], services: PluginServices, server: URL): Promise<Tokens> {
  const secrets = [...fixed];
  if (given.type === 'none') return { tokens: null, secrets };
  if (given.client_secret !== undefined) secrets.push(given.client_secret);
  const kept = secrets.length;
  const onToken = (token: string): void => {
    if (secrets.includes(token)) return;
    if (secrets.length >= kept + mostRedacted) secrets.splice(kept, 1);
    secrets.push(token);
  };
  if (given.type === 'user_oauth') {
    if (services.accounts === undefined)
      throw new GatewayError('configuration_invalid', 'spec.options.credentials.type: user_oauth cannot be used here.', {
        param: 'spec.options.credentials.type',
      });
    const { client_id, client_secret, scope } = given;
    const tokens = createUserAccounts(
      { client_id, client_secret, scope, server, accounts: services.accounts, fetch: services.fetch },
      onToken,
    );
    return { tokens, secrets, accounts: tokens.accounts };
  }
  services.checkUrl(given.token_url, 'spec.options.credentials.token_url');
  if (given.type === 'token_exchange') await services.tokenExchange.check(given.token_url, 'spec.options.credentials.token_url');
  return { tokens: createIssuedTokens(given, services, onToken), secrets };
}
