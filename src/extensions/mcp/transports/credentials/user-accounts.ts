/** Each user's own account at an MCP server: connected once in a browser, used for that user only, renewed by refresh token. */
import { createHash, randomBytes, timingSafeEqual } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { OAuthDiscoveryState, StoredOAuthTokens } from '@modelcontextprotocol/client';
import { LRUCache } from 'lru-cache';
import { entryLimit } from '../../../../types/entry-limit.ts';
import type { AccountOwner, KeptAccount, PersonalAccounts } from '../../../../types/accounts.ts';
import { GatewayError } from '../../../../types/errors.ts';
import type { JsonObject } from '../../../../types/json.ts';
import type { TokenSource } from './token-source.ts';
import { type OAuthClientOptions, oauthStep } from './oauth-client.ts';
import { monotonicNow } from '../../../../scheduling/monotonic-clock.ts';

/** Stored state of one account. `server` is the URL that the tokens were issued for; they are never sent to another. */
interface State {
  readonly server?: string;
  readonly tokens?: StoredOAuthTokens;
  /** Epoch milliseconds; null if the service does not declare it. */
  readonly expiresAt?: number | null;
  readonly discovery?: OAuthDiscoveryState;
  readonly redirectUri?: string;
  readonly pending?: Pending;
}
interface Pending {
  readonly digest: string;
  readonly verifier: string;
  readonly discovery: OAuthDiscoveryState | null;
  readonly redirectUri: string;
  readonly until: number;
}

/** Time limit for the sign-in at the other service. */
const pendingMs = 600_000;
/** A token is renewed when it has less than this left. */
const earlyMs = 30_000;
/** Changes by other nodes are seen after this time. */
const cachedMs = 10_000;
const renewMs = 15_000;
const pollMs = 150;

const digestOf = (text: string): string => createHash('sha256').update(text).digest('base64url');
const keyOf = ({ issuer, subject }: AccountOwner): string => JSON.stringify([issuer, subject]);

function missing(): GatewayError {
  return new GatewayError(
    'account_required',
    'This MCP server requires your own account. Connect it in the console, or call POST /api/mcp-servers/{name}/account and open the address that it returns.',
  );
}

function failed(cause: unknown): GatewayError {
  if (cause instanceof GatewayError) return cause;
  return new GatewayError('tool_failed', "The OAuth2 service of this MCP server failed. Contact the server's administrator.", {
    cause,
    details: cause instanceof Error ? cause.message.slice(0, 500) : 'unknown fault',
  });
}

function refused(sentence: string, cause?: unknown): GatewayError {
  return new GatewayError('sign_in_failed', `${sentence} Start the sign-in again.`, { cause });
}

export interface UserAccounts extends TokenSource {
  readonly accounts: PersonalAccounts;
}

/** `onToken` gets each token, so that it can be redacted in the server's answers. */
export function createUserAccounts(options: OAuthClientOptions, onToken: (token: string) => void): UserAccounts {
  const { accounts } = options;
  const server = options.server.href;
  const cached = new LRUCache<string, { readonly token: string; readonly expiresAt: number | null }>({
    ...entryLimit(5_000),
    ttl: cachedMs,
  });
  const renewing = new Map<string, Promise<string>>();

  const stateOf = (kept: KeptAccount | null): State => kept?.state ?? {};
  /** The tokens, if they were issued for the server as it is configured now. */
  const tokensOf = (state: State): StoredOAuthTokens | null => (state.server === server ? (state.tokens ?? null) : null);
  const isFresh = ({ expiresAt }: { readonly expiresAt?: number | null }): boolean => expiresAt == null || expiresAt - earlyMs > Date.now();

  const withTokens = (tokens: StoredOAuthTokens, state: Pick<State, 'discovery' | 'redirectUri'>): State => ({
    server,
    tokens,
    expiresAt: tokens.expires_in === undefined ? null : Date.now() + tokens.expires_in * 1_000,
    ...(state.discovery === undefined ? {} : { discovery: state.discovery }),
    ...(state.redirectUri === undefined ? {} : { redirectUri: state.redirectUri }),
  });
  const cacheTokens = (owner: AccountOwner, { tokens, expiresAt }: State): string => {
    const token = tokens?.access_token ?? '';
    onToken(token);
    if (tokens?.refresh_token !== undefined) onToken(tokens.refresh_token);
    cached.set(keyOf(owner), { token, expiresAt: expiresAt ?? null });
    return token;
  };

  /** Renews on one node and in one call only, because refresh tokens are often valid once. */
  const renew = async (owner: AccountOwner, not: string | undefined): Promise<string> => {
    for (const until = monotonicNow() + renewMs; monotonicNow() < until; await sleep(pollMs)) {
      const kept = await accounts.read(owner);
      const state = stateOf(kept);
      const tokens = tokensOf(state);
      if (kept === null || tokens === null) throw missing();
      if (isFresh(state) && tokens.access_token !== not) return cacheTokens(owner, state);
      if (tokens.refresh_token === undefined) throw missing();
      if (!(await accounts.claim(owner, kept.version, Date.now() + renewMs))) continue;
      const { tokens: renewed } = await oauthStep(options, {
        redirectUri: state.redirectUri ?? server,
        tokens,
        ...(state.discovery === undefined ? {} : { discovery: state.discovery }),
      }).catch(async (thrown: unknown) => {
        await accounts.write(owner, kept.state, kept.version);
        throw failed(thrown);
      });
      // Null: the service requires a new sign-in, so the stored tokens are deleted.
      const next = renewed === null ? {} : withTokens({ ...renewed, refresh_token: renewed.refresh_token ?? tokens.refresh_token }, state);
      await accounts.write(owner, next as unknown as JsonObject, kept.version);
      if (renewed === null) throw missing();
      return cacheTokens(owner, next);
    }
    throw failed(new Error('another node has been renewing the token for too long'));
  };

  return {
    async token(context, not) {
      if (context === null) throw missing();
      const owner = context.principal;
      const known = cached.get(keyOf(owner));
      if (known !== undefined && known.token !== not && isFresh(known)) return known.token;
      const key = keyOf(owner);
      const underWay = renewing.get(key) ?? renew(owner, not).finally(() => renewing.delete(key));
      renewing.set(key, underWay);
      return underWay;
    },

    accounts: {
      async begin(owner, redirectUri) {
        const state = randomBytes(32).toString('base64url');
        const { address, verifier, discovery } = await oauthStep(options, { redirectUri, state }).catch((thrown: unknown) => {
          throw failed(thrown);
        });
        if (address === null || verifier === null || !/^https?:$/.test(address.protocol))
          throw failed(new Error('it names no http(s) authorization endpoint'));
        const pending = { digest: digestOf(state), verifier, discovery, redirectUri, until: Date.now() + pendingMs };
        // The latest start replaces an earlier one. A connected account stays until the new one is connected.
        for (let attempt = 0; attempt < 5; attempt++) {
          const kept = await accounts.read(owner);
          if (await accounts.write(owner, { ...kept?.state, pending } as unknown as JsonObject, kept?.version ?? 0)) return address;
        }
        throw refused('Your account was changed somewhere else at the same time.');
      },

      async finish(owner, { redirectUri, state: given, code, iss }) {
        const kept = await accounts.read(owner);
        const { pending, ...state } = stateOf(kept);
        if (kept === null || pending === undefined || pending.until < Date.now() || pending.redirectUri !== redirectUri)
          throw refused('You have no pending sign-in at this MCP server, or it has expired.');
        if (!timingSafeEqual(Buffer.from(pending.digest), Buffer.from(digestOf(given))))
          throw refused('The state belongs to another sign-in than your latest.');
        // Removed before use, so that each pending sign-in is used at most once.
        if (!(await accounts.write(owner, state as JsonObject, kept.version)))
          throw refused('The sign-in was completed by another request.');
        const { tokens, discovery } = await oauthStep(options, {
          redirectUri,
          code,
          verifier: pending.verifier,
          ...(iss === null ? {} : { iss }),
          ...(pending.discovery === null ? {} : { discovery: pending.discovery }),
        }).catch((thrown: unknown) => {
          throw refused('The OAuth2 service of the MCP server did not accept it.', thrown);
        });
        if (tokens === null) throw refused('The OAuth2 service of the MCP server gave no token.');
        const next = withTokens(tokens, { redirectUri, ...(discovery === null ? {} : { discovery }) });
        if (!(await accounts.write(owner, next as unknown as JsonObject, kept.version + 1)))
          throw refused('Your account was changed somewhere else at the same time.');
        cacheTokens(owner, next);
      },

      async status(owner) {
        const state = stateOf(await accounts.read(owner));
        const tokens = tokensOf(state);
        return { connected: tokens !== null, expiresAt: state.expiresAt ?? null, scope: tokens?.scope ?? null };
      },

      async forget(owner) {
        cached.delete(keyOf(owner));
        await accounts.remove(owner);
      },
    },
  };
}
