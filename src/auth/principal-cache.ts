/** Verified tokens by the digest of the whole token. Good and bad ones are kept apart, so that garbage never drives out a good one. */
import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Principal } from '../types/access.ts';
import type { GatewayError } from '../types/errors.ts';

const goodTtlMs = 60_000;
const badTtlMs = 5_000;
/** What could not be found out is asked again soon, but not by every call: the service that is down must come up. */
const unknownTtlMs = 1_000;

interface Good {
  readonly principal: Principal;
  /** Epoch milliseconds. */
  readonly until: number;
}

export class PrincipalCache {
  readonly #good = new LRUCache<string, Good>({ max: 20_000 });
  readonly #bad = new LRUCache<string, GatewayError>({ max: 1_000, ttl: badTtlMs });
  #epoch = 0;

  /** The whole token and the state of the issuers' keys: no two tokens share a key, and what an old key made is not found. */
  key(token: string): string {
    return this.#epoch + hash('sha256', token, 'base64');
  }

  good(key: string, now: number): Principal | undefined {
    const good = this.#good.get(key);
    if (good === undefined) return undefined;
    if (now < good.until) return good.principal;
    this.#good.delete(key);
    return undefined;
  }

  bad(key: string): GatewayError | undefined {
    return this.#bad.get(key);
  }

  keep(key: string, principal: Principal): void {
    this.#good.set(key, { principal, until: Math.min(principal.expiresAt, Date.now() + goodTtlMs) });
  }

  keepBad(key: string, error: GatewayError): void {
    this.#bad.set(key, error, error.status === 401 ? {} : { ttl: unknownTtlMs });
  }

  /** Forgets everybody, also those whose verification is under way: a key was taken back. */
  forgetAll(): void {
    this.#epoch++;
    this.#good.clear();
    this.#bad.clear();
  }
}
