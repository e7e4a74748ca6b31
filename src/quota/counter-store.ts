/** Where counters live: in this process, or in Redis for all nodes. Both hold to the same rules, and one suite tests them. */
import type { Demand } from './limit-requests.ts';

/** A call's room in all the counters that it asked for. */
export interface Place {
  readonly id: string;
  readonly demands: readonly Demand[];
  /** When it was taken, epoch milliseconds. */
  readonly at: number;
}

export interface Verdict {
  /** The demand that found no room; null where all did. One refusal takes nothing anywhere. */
  readonly refused: number | null;
  /** By demand: how full its counter was before, and how long until there is room (Infinity: never for such a call). */
  readonly counters: readonly CounterState[];
}

export interface CounterState {
  readonly used: number;
  /** What of it is spent, not only set aside; where a store that others share tells. */
  readonly settled?: number;
  readonly waitMs: number;
}

/** What a call used in the end, by demand; a request counts even if it failed. */
export type Actual = readonly number[];

export interface QuotaStore {
  /** Takes room in all counters, or in none. `leaseUntil`: when the room is given back if nobody does. */
  take(place: Place, leaseUntil: number): Verdict | Promise<Verdict>;
  /** Where a call would be refused now, as far as this node knows without asking anybody; takes nothing. */
  peek(demands: readonly Demand[], at: number): Verdict;
  /** Replaces what was set aside by what was used. Once per place. */
  settle(place: Place, actual: Actual): void;
  /** Makes the counter of spent money show at least `amount`: what the ledger knows. */
  atLeast(key: string, amount: number, until: number): void | Promise<void>;
}

export const minuteMs = 60_000;

/** The sum over the last minute, about: this minute's count and the part of the one before that has not faded yet. */
export function windowSum(current: number, before: number, at: number): number {
  return current + before * (1 - (at % minuteMs) / minuteMs);
}

/** Milliseconds until a window has room for `amount` more; Infinity where it never has. */
export function windowWait(current: number, before: number, limit: number, amount: number, at: number): number {
  if (amount > limit) return Infinity;
  if (windowSum(current, before, at) + amount <= limit) return 0;
  const gone = at % minuteMs;
  const free = limit - amount - current;
  // Still within this minute, as the one before fades; else in the next, as this one does.
  if (free >= 0) return Math.ceil((1 - free / before) * minuteMs - gone) + 1;
  return Math.ceil(minuteMs - gone + (1 - (limit - amount) / current) * minuteMs) + 1;
}

/** How long until a counter that is no window may have room: nobody knows when a call ends, but money comes with the next period. */
export function heldWait({ measure, limit, amount, until }: Demand, at: number): number {
  if (amount > limit) return Infinity;
  return measure === 'spend' ? Math.max(0, until - at) : 1_000;
}
