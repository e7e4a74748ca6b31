/** What runs have spent: how it adds up, and what it costs. */
import type { Usage } from '../types/chat.ts';
import { type Femto, parseAmount } from '../types/money.ts';
import { costOf, type Price } from '../types/price.ts';
import type { Operation } from '../types/wire-format.ts';
import { optionalCounts, sumKnown } from './sum-usage.ts';

/** What a run and all runs within it have used so far. */
export interface RunCost {
  /** Null while nothing is known. */
  readonly usage: Usage | null;
  /** Null where a price is unknown, or prices are in different currencies. */
  readonly cost: Femto | null;
  readonly currency: string | null;
}

export const noCost: RunCost = { usage: null, cost: null, currency: null };

/** A part of an answer, at the price of the deployment that said it. */
export interface PricedPart {
  readonly usage: Usage;
  readonly price: Price | null;
}

/** Both together. */
export function added(one: RunCost, other: RunCost): RunCost {
  if (one.usage === null) return other;
  if (other.usage === null) return one;
  // What was free, such as an answer from the cache, has no currency.
  const currency = one.cost === 0n ? other.currency : other.cost === 0n || one.currency === other.currency ? one.currency : null;
  const isOneSum = one.cost !== null && other.cost !== null && (currency !== null || one.cost + other.cost === 0n);
  return { usage: sumKnown([one.usage, other.usage]), cost: isOneSum ? one.cost + other.cost : null, currency };
}

/** The rest of a usage without a part of it. */
export function without(usage: Usage, part: Usage): Usage {
  const rest: { -readonly [Name in keyof Usage]: Usage[Name] } = {
    ...usage,
    inputTokens: usage.inputTokens - part.inputTokens,
    outputTokens: usage.outputTokens - part.outputTokens,
  };
  for (const name of optionalCounts) if (usage[name] !== undefined) rest[name] = usage[name] - (part[name] ?? 0);
  return rest;
}

/** What is common to all parts of an answer. */
export interface Billed {
  readonly operation: Operation;
  /** When the call began, epoch milliseconds. */
  readonly at: number;
}

/** `used` in all, of which `earlier` parts have prices of their own. Null where one of these is unknown, or in another currency. */
export function costOfParts(used: Usage, price: Price, earlier: readonly PricedPart[], { operation, at }: Billed): Femto | null {
  let rest = used;
  let cost = 0n;
  for (const part of earlier) {
    if (part.price === null || part.price.currency !== price.currency) return null;
    const own = costOf(part.price, operation, part.usage, at);
    if (own === null) return null;
    cost += own;
    rest = without(rest, part.usage);
  }
  const last = costOf(price, operation, rest, at);
  return last === null ? null : cost + last;
}

/** What the vendor itself says that a call costs; null where it says nothing. */
export function reportedCost({ reportedCost: reported }: Usage): Femto | null {
  return reported === undefined ? null : parseAmount(reported.amount);
}
