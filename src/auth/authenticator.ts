/** Verifies tokens and caches their principals. Fails closed: an invalid token is 401, an unavailable service is 503. */
import type { IncomingHttpHeaders } from 'node:http';
import type { Person } from '../storage/people.ts';
import type { Principal } from '../types/access.ts';
import type { Logger } from '../types/logger.ts';
import { createDiscovery } from './discovery.ts';
import type { IssuerSettings } from './issuer.ts';
import { createKeysOf } from './issuer-key-source.ts';
import { createClientToken } from './lookups/client-token.ts';
import { createHttpLookup } from './lookups/http-lookup.ts';
import type { LookupInput } from './lookups/lookup-input.ts';
import { needsToken } from './lookups/lookup-request.ts';
import { createSqlLookup } from './lookups/sql-lookup.ts';
import { type LogoutToken, verifyLogoutToken } from './logout-token.ts';
import { PrincipalCache } from './principal-cache.ts';
import { asGatewayError, bearerTokenOf } from './token-checks.ts';
import { canLookUpPeople, lookUpPerson } from './person-lookup.ts';
import { type Issuer, type IssuerLookup, type StepListener, verifyToken } from './verification.ts';

export interface Authenticator {
  /** Verifies the token of `headers`. Throws as `verify` does, and token_missing. */
  authenticate(headers: IncomingHttpHeaders): Principal | Promise<Principal>;
  /** Synchronous when the token is known. Throws or rejects with token_invalid, token_expired or auth_unavailable. */
  verify(token: string): Principal | Promise<Principal>;
  /** Verifies the token without the cache and reports each step. */
  explain(token: string, onStep: StepListener): Promise<Principal>;
  /** Verifies an issuer's logout token. Rejects with token_invalid or auth_unavailable. */
  verifyLogout(token: string): Promise<LogoutToken>;
  /** The issuers that can be asked about a person without a token. */
  readonly personIssuers: ReadonlySet<string>;
  /** The current rights of a person of one of these. Rejects with token_invalid when the service refuses the person, and with auth_unavailable. */
  lookUpPerson(person: Person): Promise<Person>;
  close(): void;
}

export interface AuthenticatorOptions {
  readonly issuers: readonly IssuerSettings[];
  readonly logger: Logger;
  /** Called for each principal whose token was verified without the cache. */
  readonly onVerified?: (principal: Principal) => void;
  /** The `fetch` for one issuer. Default: the global one. */
  readonly fetchFor?: (issuer: IssuerSettings) => typeof fetch;
}

interface OwnedIssuer extends Issuer {
  close(): void;
}

function createIssuer(settings: IssuerSettings, options: AuthenticatorOptions, onKeyRemoved: () => void): OwnedIssuer {
  const { logger } = options;
  const closed = new AbortController();
  // Reads the global at call time, so that tests can replace it.
  const fetcher: typeof fetch = options.fetchFor?.(settings) ?? ((...args) => fetch(...args));
  const discovery = createDiscovery({ issuer: settings.issuer, baseUrl: settings.baseUrl, fetch: fetcher, signal: closed.signal });
  const keys = createKeysOf(settings, { discovery, fetch: fetcher, logger, onKeyRemoved });
  const ends: (() => unknown)[] = [() => keys.close()];
  const { client } = settings;
  const clientToken = client === null ? null : createClientToken({ client, discovery, fetch: fetcher });
  const lookups = settings.lookups.map((lookup): IssuerLookup => {
    if (lookup.kind === 'http') {
      const ask = createHttpLookup(lookup, { discovery, client, clientToken, fetch: fetcher, logger });
      return { ask, needsToken: needsToken(lookup) || typeof lookup.url !== 'string' };
    }
    const sqlLookup = createSqlLookup(lookup, logger);
    ends.push(() => sqlLookup.close().catch(() => {}));
    return { ask: (input: LookupInput) => sqlLookup.ask(input), needsToken: false };
  });
  return {
    settings,
    keys,
    lookups,
    close() {
      closed.abort();
      for (const end of ends) end();
    },
  };
}

export function createAuthenticator(options: AuthenticatorOptions): Authenticator {
  const cache = new PrincipalCache();
  const underWay = new Map<string, Promise<Principal>>();
  const issuers = options.issuers.map((settings) => createIssuer(settings, options, () => cache.clear()));

  const personIssuers = new Map(issuers.filter(canLookUpPeople).map((issuer) => [issuer.settings.issuer, issuer]));

  /** Calls with the same new token share one verification. */
  const verifyOnce = (token: string): Promise<Principal> => {
    const { epoch } = cache;
    const key = `${epoch} ${token}`;
    let pending = underWay.get(key);
    if (pending === undefined) {
      pending = verifyToken(token, issuers)
        .then(
          (principal) => {
            cache.store(token, principal, epoch);
            options.onVerified?.(principal);
            return principal;
          },
          (thrown: unknown) => {
            const error = asGatewayError(thrown);
            cache.storeInvalid(token, error, epoch);
            throw error;
          },
        )
        .finally(() => underWay.delete(key));
      underWay.set(key, pending);
    }
    return pending;
  };

  const check = (token: string): Principal | Promise<Principal> => {
    const known = cache.valid(token, Date.now());
    if (known !== undefined) return known;
    const invalid = cache.invalid(token);
    if (invalid !== undefined) throw invalid;
    return verifyOnce(token);
  };

  return {
    authenticate: (headers) => check(bearerTokenOf(headers)),
    verify: check,
    explain: (token, onStep) =>
      verifyToken(token, issuers, onStep).catch((thrown: unknown) => {
        throw asGatewayError(thrown);
      }),
    verifyLogout: (token) =>
      verifyLogoutToken(token, issuers).catch((thrown: unknown) => {
        throw asGatewayError(thrown);
      }),
    personIssuers: new Set(personIssuers.keys()),
    async lookUpPerson(person) {
      const issuer = personIssuers.get(person.issuer);
      return issuer === undefined ? person : lookUpPerson(person, issuer);
    },
    close() {
      for (const issuer of issuers) issuer.close();
    },
  };
}
