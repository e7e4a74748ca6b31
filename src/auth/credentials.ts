/** The one door for credentials: a token of the OAuth2 service, a key that stands for its owner, or the session of a browser. */
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

/** Where a credential came: keys are part of the configuration. */
export interface Arrival {
  readonly snapshot: Snapshot;
  /** Of the connection. */
  readonly address: string;
  /** Of the request: a browser sends its cookie along with whatever another site makes it send. */
  readonly method: string;
}

export interface Credentials {
  /** Synchronous when the credential is known. Throws or rejects with token_missing, token_invalid, token_expired, permission_denied or auth_unavailable. */
  admit(headers: IncomingHttpHeaders, arrival: Arrival): Principal | Promise<Principal>;
  /** Throws `permission_denied` for somebody who is kept out. */
  requireUnblocked(principal: Principal): void;
}

export interface CredentialsOptions {
  readonly authenticator: Authenticator;
  /** Null: keys are switched off, or good for nothing but to be exchanged. */
  readonly apiKeys: ApiKeyAuthenticator | null;
  /** Null where keys are not exchanged. */
  readonly exchange: KeyExchange | null;
  /** Null: nobody can sign in with a browser. */
  readonly browser: BrowserAuth | null;
  /** People who are kept out, whatever they come with. */
  readonly isBlocked: (principal: Principal) => boolean;
  /** One more header in which tokens come. */
  readonly tokenHeader: string | null;
}

const harmless: ReadonlySet<string> = new Set(['GET', 'HEAD', 'OPTIONS']);

export function createCredentials({ authenticator, apiKeys, exchange, browser, isBlocked, tokenHeader }: CredentialsOptions): Credentials {
  /** The cookie of the session, where it alone says who calls. */
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

  const enter = (headers: IncomingHttpHeaders, { snapshot, address, method }: Arrival): Principal | Promise<Principal> => {
    const cookie = cookieOf(headers);
    if (cookie !== null && browser !== null) {
      if (!harmless.has(method) && !browser.sessions.sameCsrf(cookie, headers['x-pailou-csrf']))
        throw new GatewayError('permission_denied', 'A change by a browser needs the header x-pailou-csrf, as GET /auth/session gives it.');
      return browser.sessions.enter(cookie);
    }
    const credential = bearerTokenOf(headers, tokenHeader);
    if (exchange !== null && exchange.owns(credential)) return exchange.enter(credential, snapshot, address);
    if (!looksLikeKey(credential)) return authenticator.verify(credential);
    if (exchange !== null) throw invalid('A key is not taken here itself. Exchange it for a token first: POST /auth/exchange');
    if (apiKeys === null) throw invalid('Keys are switched off here. Send a token of your OAuth2 service.');
    return apiKeys.enter(credential, snapshot, address);
  };

  return {
    admit(headers, arrival) {
      const principal = enter(headers, arrival);
      return principal instanceof Promise ? principal.then(unblocked) : unblocked(principal);
    },
    requireUnblocked,
  };
}
