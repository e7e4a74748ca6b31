/** Verified tokens by the digest of the whole token. Good and bad ones are kept apart, so that garbage never drives out a good one. */
import { hash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { Principal } from '../types/access.ts';
import type { GatewayError } from '../types/errors.ts';

const goodTtlMs = 60_000;
const badTtlMs = 5_000;

export class PrincipalCache {
  readonly #good = new LRUCache<string, Principal>({ max: 20_000 });
  readonly #goodUntil = new WeakMap<Principal, number>();
  readonly #bad = new LRUCache<string, GatewayError>({ max: 1_000, ttl: badTtlMs });
  #epoch = 0;

  /** The whole token and the state of the issuers' configuration: no two tokens share a key. */
  key(token: string): string {
    return `${this.#epoch}.${hash('sha256', token, 'base64')}`;
  }

  good(key: string, now: number): Principal | undefined {
    const principal = this.#good.get(key);
    if (principal === undefined) return undefined;
    if (now < (this.#goodUntil.get(principal) ?? 0)) return principal;
    this.#good.delete(key);
    return undefined;
  }

  bad(key: string): GatewayError | undefined {
    return this.#bad.get(key);
  }

  keep(key: string, principal: Principal): void {
    this.#goodUntil.set(principal, Math.min(principal.expiresAt, Date.now() + goodTtlMs));
    this.#good.set(key, principal);
  }

  keepBad(key: string, error: GatewayError): void {
    this.#bad.set(key, error);
  }

  /** Forgets everybody: a key was taken back. */
  forgetAll(): void {
    this.#epoch++;
    this.#good.clear();
    this.#bad.clear();
  }
}
