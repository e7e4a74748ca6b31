/** Browser sign-in: OAuth2's code flow with PKCE and state, run on the server. RFC 6749, 7636, OpenID Connect Core. */
import * as oauth from 'openid-client';
import type { SecretBox } from '../../storage/secret-box.ts';
import type { TokenSet } from '../../storage/session-store.ts';
import { GatewayError } from '../../types/errors.ts';
import type { Logger } from '../../types/logger.ts';
import type { IssuerSettings } from '../issuer.ts';

/** The state of a sign-in in progress. The browser carries it, sealed. */
interface Ticket {
  readonly state: string;
  readonly nonce: string;
  readonly verifier: string;
  readonly returnTo: string;
  /** Epoch milliseconds. */
  readonly until: number;
}

export interface SignIn {
  readonly issuer: string;
  /** The URL for the browser, and the ticket for the return. Rejects with auth_unavailable. */
  begin(returnTo: string): Promise<{ readonly url: string; readonly ticket: string }>;
  /** `callback`: the URL that the browser returned to. Rejects with sign_in_failed or auth_unavailable. */
  finish(callback: URL, ticket: string): Promise<{ readonly tokens: TokenSet; readonly returnTo: string }>;
  /** Null when the service refuses: the session is over. Rejects with auth_unavailable. */
  renew(tokens: TokenSet): Promise<TokenSet | null>;
  /** Revokes the tokens at the service as far as possible. Returns the service's logout URL, or null. */
  leave(tokens: TokenSet): Promise<string | null>;
}

export interface SignInOptions {
  readonly settings: IssuerSettings;
  readonly publicUrl: string;
  readonly box: SecretBox;
  readonly fetch: typeof fetch;
  readonly logger: Logger;
}

const ticketMs = 600_000;
const timeoutSeconds = 5;

const failed = (message: string, cause?: unknown): GatewayError => new GatewayError('sign_in_failed', message, { cause });

function tokensOf(answer: oauth.TokenEndpointResponse, before: TokenSet | null): TokenSet {
  return {
    access: answer.access_token,
    refresh: answer.refresh_token ?? before?.refresh ?? null,
    id: answer.id_token ?? before?.id ?? null,
  };
}

/** `settings.client` is Pailou's client at the service. */
export function createSignIn(options: SignInOptions): SignIn {
  const { settings, publicUrl, box, logger } = options;
  const { client, issuer, baseUrl } = settings;
  if (client === null) throw new Error('signing in needs a client');
  const redirectUri = `${publicUrl}/auth/callback`;
  const scope = client.scope ?? 'openid profile';
  let known: Promise<oauth.Configuration> | null = null;

  const discover = async (): Promise<oauth.Configuration> => {
    const configuration = await oauth.discovery(
      new URL(`${baseUrl}/.well-known/openid-configuration`),
      client.id,
      undefined,
      oauth.ClientSecretBasic(client.secret),
      {
        timeout: timeoutSeconds,
        [oauth.customFetch]: options.fetch as unknown as oauth.CustomFetch,
        // The address was configured. Settings decide whether plain http is allowed.
        execute: [oauth.allowInsecureRequests, oauth.enableNonRepudiationChecks],
      },
    );
    if (configuration.serverMetadata().issuer !== issuer) throw new Error('its discovery document names another issuer');
    return configuration;
  };
  const service = async (): Promise<oauth.Configuration> => {
    known ??= discover();
    try {
      return await known;
    } catch (cause) {
      known = null;
      logger.warn({ err: cause, issuer }, 'sign-in is unavailable: the discovery document of the identity service cannot be read');
      throw new GatewayError('auth_unavailable', 'The identity service cannot be reached, so sign-in is unavailable. Try again soon.', {
        retryAfterSeconds: 5,
        cause,
      });
    }
  };

  const readTicket = (text: string): Ticket => {
    try {
      const ticket = JSON.parse(box.open({ $sealed: text }, 'sign-in')) as Ticket;
      if (Date.now() < ticket.until) return ticket;
    } catch {
      // A changed ticket, or one sealed with another key, counts as missing.
    }
    throw failed('The sign-in took too long, or was started in another browser. Start again at /auth/login.');
  };

  return {
    issuer,

    async begin(returnTo) {
      const configuration = await service();
      const verifier = oauth.randomPKCECodeVerifier();
      const ticket: Ticket = { state: oauth.randomState(), nonce: oauth.randomNonce(), verifier, returnTo, until: Date.now() + ticketMs };
      const url = oauth.buildAuthorizationUrl(configuration, {
        redirect_uri: redirectUri,
        scope,
        state: ticket.state,
        code_challenge: await oauth.calculatePKCECodeChallenge(verifier),
        code_challenge_method: 'S256',
        ...(scope.split(' ').includes('openid') ? { nonce: ticket.nonce } : {}),
      });
      return { url: url.href, ticket: box.seal(JSON.stringify(ticket), 'sign-in').$sealed };
    },

    async finish(callback, text) {
      const ticket = readTicket(text);
      const configuration = await service();
      const withId = scope.split(' ').includes('openid');
      try {
        const answer = await oauth.authorizationCodeGrant(
          configuration,
          // Behind a proxy the request's host differs from the redirect URI that the service knows.
          new URL(callback.search, redirectUri),
          {
            pkceCodeVerifier: ticket.verifier,
            expectedState: ticket.state,
            ...(withId ? { expectedNonce: ticket.nonce, idTokenExpected: true } : {}),
          },
        );
        return { tokens: tokensOf(answer, null), returnTo: ticket.returnTo };
      } catch (cause) {
        logger.info({ err: cause, issuer }, 'a sign-in failed');
        const said = cause instanceof oauth.AuthorizationResponseError ? ` The service said: ${cause.error.slice(0, 100)}.` : '';
        throw failed(`The sign-in failed.${said} Start again at /auth/login.`, cause);
      }
    },

    async renew(tokens) {
      if (tokens.refresh === null) return null;
      const configuration = await service();
      try {
        return tokensOf(await oauth.refreshTokenGrant(configuration, tokens.refresh), tokens);
      } catch (cause) {
        if (cause instanceof oauth.ResponseBodyError) return null;
        logger.warn({ err: cause, issuer }, 'a session could not be renewed');
        throw new GatewayError(
          'auth_unavailable',
          'The identity service cannot be reached, so your session cannot be renewed. Try again soon.',
          {
            retryAfterSeconds: 5,
            cause,
          },
        );
      }
    },

    async leave(tokens) {
      try {
        const configuration = await service();
        const metadata = configuration.serverMetadata();
        if (metadata.revocation_endpoint !== undefined) await oauth.tokenRevocation(configuration, tokens.refresh ?? tokens.access);
        if (metadata.end_session_endpoint === undefined || tokens.id === null) return null;
        return oauth.buildEndSessionUrl(configuration, { id_token_hint: tokens.id, post_logout_redirect_uri: `${publicUrl}/` }).href;
      } catch (cause) {
        // The local session ends in any case.
        logger.warn({ err: cause, issuer }, 'the tokens of a session could not be revoked at the service');
        return null;
      }
    },
  };
}
