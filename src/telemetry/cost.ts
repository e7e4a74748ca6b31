/** What runs have spent: how it adds up, and what it costs. */
import type { Usage } from '../types/chat.ts';
import type { Price } from '../types/resources.ts';
import { sumKnown } from './sum-usage.ts';

/** What a run and all runs within it have used so far. */
export interface RunCost {
  /** Null while nothing is known. */
  readonly usage: Usage | null;
  /** Micro-units of `currency`; null where a price is unknown, or prices are in different currencies. */
  readonly cost: number | null;
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
  const currency = one.cost === 0 ? other.currency : other.cost === 0 || one.currency === other.currency ? one.currency : null;
  const isOneSum = one.cost !== null && other.cost !== null && (currency !== null || one.cost + other.cost === 0);
  return { usage: sumKnown([one.usage, other.usage]), cost: isOneSum ? one.cost + other.cost : null, currency };
}

function without(usage: Usage, part: Usage): Usage {
  return {
    inputTokens: usage.inputTokens - part.inputTokens,
    outputTokens: usage.outputTokens - part.outputTokens,
    cachedInputTokens: (usage.cachedInputTokens ?? 0) - (part.cachedInputTokens ?? 0),
  };
}

/** Micro-units, rounded up so that no use is free by rounding. */
function costOf(usage: Usage, price: Price): number {
  const cached = Math.min(usage.cachedInputTokens ?? 0, usage.inputTokens);
  const fresh = usage.inputTokens - cached;
  const total = fresh * price.input + cached * (price.cached_input ?? price.input) + usage.outputTokens * price.output;
  return Math.ceil(total / 1_000_000);
}

/** `used` in all, of which `earlier` parts have prices of their own. Null where one of these is unknown, or in another currency. */
export function costOfParts(used: Usage, price: Price, earlier: readonly PricedPart[]): number | null {
  let rest = used;
  let cost = 0;
  for (const part of earlier) {
    if (part.price === null || part.price.currency !== price.currency) return null;
    cost += costOf(part.usage, part.price);
    rest = without(rest, part.usage);
  }
  return cost + costOf(rest, price);
}
