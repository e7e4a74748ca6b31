/** Caches verified tokens by the whole token, because a digest would cost more than the rest of the lookup. Valid and invalid tokens are separate, so that invalid ones never evict valid ones. */
import { LRUCache } from 'lru-cache';
import type { Principal } from '../types/access.ts';
import type { GatewayError } from '../types/errors.ts';

const validTtlMs = 60_000;
const invalidTtlMs = 5_000;
/** A failed verification is retried soon, but not by every call, so that the service can recover. */
const unavailableTtlMs = 1_000;
/** The maximum total length of the cached tokens. */
const validCharacters = 64 * 1024 * 1024;
const invalidCharacters = 4 * 1024 * 1024;

/** The lowest share of a token in `validCharacters`, which bounds their number to 20,000. */
const leastShare = Math.ceil(validCharacters / 20_000);

function lengthOfKey(_value: unknown, key: string): number {
  return key.length;
}

interface ValidToken {
  readonly principal: Principal;
  /** Epoch milliseconds. */
  readonly until: number;
}

export class PrincipalCache {
  readonly #valid = new LRUCache<string, ValidToken>({
    maxSize: validCharacters,
    sizeCalculation: (_value, token) => Math.max(token.length, leastShare),
  });
  readonly #invalid = new LRUCache<string, GatewayError>({
    max: 1_000,
    maxSize: invalidCharacters,
    sizeCalculation: lengthOfKey,
    ttl: invalidTtlMs,
  });
  #epoch = 0;

  /** Increases when an issuer removes a key. Verifications of an earlier epoch are not cached. */
  get epoch(): number {
    return this.#epoch;
  }

  valid(token: string, now: number): Principal | undefined {
    const valid = this.#valid.get(token);
    if (valid === undefined) return undefined;
    // Later than the longest time from now: the clock was stepped backwards.
    if (now < valid.until && valid.until <= now + validTtlMs) return valid.principal;
    this.#valid.delete(token);
    return undefined;
  }

  invalid(token: string): GatewayError | undefined {
    return this.#invalid.get(token);
  }

  store(token: string, principal: Principal, epoch: number): void {
    if (epoch !== this.#epoch) return;
    this.#valid.set(token, { principal, until: Math.min(principal.expiresAt, Date.now() + validTtlMs) });
  }

  storeInvalid(token: string, error: GatewayError, epoch: number): void {
    if (epoch !== this.#epoch) return;
    this.#invalid.set(token, error, error.status === 401 ? {} : { ttl: unavailableTtlMs });
  }

  /** Clears the cache and discards verifications in progress, after a key was removed. */
  clear(): void {
    this.#epoch++;
    this.#valid.clear();
    this.#invalid.clear();
  }
}
