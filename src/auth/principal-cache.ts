/** Verified tokens, by the whole token: a digest would cost more than all else here. Good and bad ones are kept apart, so that garbage never drives out a good one. */
import { LRUCache } from 'lru-cache';
import type { Principal } from '../types/access.ts';
import type { GatewayError } from '../types/errors.ts';

const goodTtlMs = 60_000;
const badTtlMs = 5_000;
/** What could not be found out is asked again soon, but not by every call: the service that is down must come up. */
const unknownTtlMs = 1_000;
/** The most that the kept tokens may take, whatever their length. */
const goodCharacters = 64 * 1024 * 1024;
const badCharacters = 4 * 1024 * 1024;

function lengthOfKey(_value: unknown, key: string): number {
  return key.length;
}

interface Good {
  readonly principal: Principal;
  /** Epoch milliseconds. */
  readonly until: number;
}

export class PrincipalCache {
  readonly #good = new LRUCache<string, Good>({ max: 20_000, maxSize: goodCharacters, sizeCalculation: lengthOfKey });
  readonly #bad = new LRUCache<string, GatewayError>({ max: 1_000, maxSize: badCharacters, sizeCalculation: lengthOfKey, ttl: badTtlMs });
  #epoch = 0;

  /** Of the issuers' keys: rises when one is taken back. What was verified in an earlier epoch is not kept. */
  get epoch(): number {
    return this.#epoch;
  }

  good(token: string, now: number): Principal | undefined {
    const good = this.#good.get(token);
    if (good === undefined) return undefined;
    if (now < good.until) return good.principal;
    this.#good.delete(token);
    return undefined;
  }

  bad(token: string): GatewayError | undefined {
    return this.#bad.get(token);
  }

  keep(token: string, principal: Principal, epoch: number): void {
    if (epoch !== this.#epoch) return;
    this.#good.set(token, { principal, until: Math.min(principal.expiresAt, Date.now() + goodTtlMs) });
  }

  keepBad(token: string, error: GatewayError, epoch: number): void {
    if (epoch !== this.#epoch) return;
    this.#bad.set(token, error, error.status === 401 ? {} : { ttl: unknownTtlMs });
  }

  /** Forgets everybody, also those whose verification is under way: a key was taken back. */
  forgetAll(): void {
    this.#epoch++;
    this.#good.clear();
    this.#bad.clear();
  }
}
