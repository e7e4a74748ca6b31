/** Counter stores: in this process, or in Redis for all nodes. Both follow the same rules, and one test suite covers both. */
import type { Demand } from './limit-requests.ts';

/** A call's reservation in all counters that it needs. */
export interface Place {
  readonly id: string;
  readonly demands: readonly Demand[];
  /** The time of the reservation, epoch milliseconds. In Redis by the wall clock, else by `monotonicNow`. */
  readonly at: number;
}

export interface Verdict {
  /** The index of the request that found no room; null when all did. A refusal reserves nothing anywhere. */
  readonly refused: number | null;
  /** By request: the counter's use before, and the wait until there is room (Infinity: never for this call). */
  readonly counters: readonly CounterState[];
}

export interface CounterState {
  readonly used: number;
  /** The settled part of the use, without reservations; set by shared stores. */
  readonly settled?: number;
  readonly waitMs: number;
}

/** The actual use of a call, by request. A request counts even if it failed. */
export type Actual = readonly number[];

export interface QuotaStore {
  /** Reserves room in all counters, or in none. `leaseUntil`: when the reservation expires unless it is settled. */
  take(place: Place, leaseUntil: number): Verdict | Promise<Verdict>;
  /** Tells whether a call would be refused now, as far as this node knows without I/O; reserves nothing. */
  peek(demands: readonly Demand[], at: number): Verdict;
  /** Replaces a reservation by the actual use. Called once per place. */
  settle(place: Place, actual: Actual): void;
  /** Raises the counter of spent money to at least `amount`, the amount in the ledger. */
  atLeast(key: string, amount: number, until: number): void | Promise<void>;
}

export const minuteMs = 60_000;

/** The approximate sum of the last minute: the count of this minute, and the remaining share of the previous one. */
export function windowSum(current: number, before: number, at: number): number {
  return current + before * (1 - (at % minuteMs) / minuteMs);
}

/** Milliseconds until a window has room for `amount` more; Infinity when it never has. */
export function windowWait(current: number, before: number, limit: number, amount: number, at: number): number {
  if (amount > limit) return Infinity;
  if (windowSum(current, before, at) + amount <= limit) return 0;
  const elapsed = at % minuteMs;
  const free = limit - amount - current;
  // Within this minute the previous one fades. Otherwise there is room in the next minute, while this one fades.
  if (free >= 0) return Math.ceil((1 - free / before) * minuteMs - elapsed) + 1;
  return Math.ceil(minuteMs - elapsed + (1 - (limit - amount) / current) * minuteMs) + 1;
}

/** The wait for a counter that is not a window. The end of a call is unknown; money has room again in the next period. */
export function amountWait({ measure, limit, amount, until }: Demand, at: number): number {
  if (amount > limit) return Infinity;
  return measure === 'spend' ? Math.max(0, until - at) : 1_000;
}
