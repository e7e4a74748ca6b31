/** Accepts a request's credential: a token of the OAuth2 service, an API key, or a browser session. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Principal } from '../types/access.ts';
import { GatewayError } from '../types/errors.ts';
import type { Snapshot } from '../types/snapshot.ts';
import type { Authenticator } from './authenticator.ts';
import type { ApiKeyAuthenticator } from './api-key-authenticator.ts';
import type { KeyExchange } from './api-key-exchange.ts';
import { looksLikeKey } from './api-key-format.ts';
import type { BrowserAuth } from './sign-in/browser-auth.ts';
import { invalid, bearerTokenOf } from './token-checks.ts';

/** The context of a credential. Keys are part of the configuration. */
export interface Arrival {
  readonly snapshot: Snapshot;
  /** The address of the connection. */
  readonly address: string;
  /** The method of the request. A browser also sends its cookie with requests that another site causes. */
  readonly method: string;
}

export interface Credentials {
  /** Synchronous when the credential is known. Throws or rejects with token_missing, token_invalid, token_expired, permission_denied or auth_unavailable. */
  admit(headers: IncomingHttpHeaders, arrival: Arrival): Principal | Promise<Principal>;
  /** Throws `permission_denied` for a blocked person. */
  requireUnblocked(principal: Principal): void;
}

export interface CredentialsOptions {
  readonly authenticator: Authenticator;
  /** Null when keys are disabled, or only accepted by the exchange. */
  readonly apiKeys: ApiKeyAuthenticator | null;
  /** Null when keys are not exchanged. */
  readonly exchange: KeyExchange | null;
  /** Null when browser sign-in is not configured. */
  readonly browser: BrowserAuth | null;
  /** True for a blocked person, with any credential. */
  readonly isBlocked: (principal: Principal) => boolean;
  /** An additional header that carries tokens. */
  readonly tokenHeader: string | null;
}

const safeMethods: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

export function createCredentials({ authenticator, apiKeys, exchange, browser, isBlocked, tokenHeader }: CredentialsOptions): Credentials {
  /** The session cookie, when it is the only credential. */
  const cookieOf = (headers: IncomingHttpHeaders): string | null => {
    if (browser === null || headers.cookie === undefined) return null;
    if (headers.authorization !== undefined || headers['x-api-key'] !== undefined) return null;
    if (tokenHeader !== null && headers[tokenHeader] !== undefined) return null;
    return browser.jar.read(headers, browser.jar.session);
  };

  const requireUnblocked = (principal: Principal): void => {
    if (isBlocked(principal)) throw new GatewayError('permission_denied', 'You are blocked at this gateway. An administrator can undo it.');
  };
  const unblocked = (principal: Principal): Principal => {
    requireUnblocked(principal);
    return principal;
  };

  const authenticate = (headers: IncomingHttpHeaders, { snapshot, address, method }: Arrival): Principal | Promise<Principal> => {
    const cookie = cookieOf(headers);
    if (cookie !== null && browser !== null) {
      if (!safeMethods.has(method) && !browser.sessions.sameCsrf(cookie, headers['x-pailou-csrf']))
        throw new GatewayError('permission_denied', 'A change by a browser needs the header x-pailou-csrf, as GET /auth/session gives it.');
      return browser.sessions.authenticate(cookie);
    }
    const credential = bearerTokenOf(headers, tokenHeader);
    if (exchange !== null && exchange.owns(credential)) return exchange.authenticate(credential, snapshot, address);
    if (!looksLikeKey(credential)) return authenticator.verify(credential);
    if (exchange !== null) throw invalid('Keys are not accepted directly. Exchange your key for a token first: POST /auth/exchange');
    if (apiKeys === null) throw invalid('This gateway does not accept keys. Send a token of your OAuth2 service.');
    return apiKeys.authenticate(credential, snapshot, address);
  };

  return {
    admit(headers, arrival) {
      const principal = authenticate(headers, arrival);
      return principal instanceof Promise ? principal.then(unblocked) : unblocked(principal);
    },
    requireUnblocked,
  };
}
