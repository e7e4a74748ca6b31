/** The prices of new-api: ratios by model, or an amount for each call. */
import { shifted } from './imported.ts';

/** Prices by model. A ratio of one is two dollars per million tokens. */
export interface Prices {
  readonly ratios: Readonly<Record<string, unknown>>;
  readonly completion: Readonly<Record<string, unknown>>;
  readonly cache: Readonly<Record<string, unknown>>;
  readonly perCall: Readonly<Record<string, unknown>>;
}

/** A product without binary rounding of prices with few decimals. */
const product = (...factors: number[]): string | null => shifted(Number(factors.reduce((all, each) => all * each, 1).toPrecision(12)), 0);

export function priceOf(model: string, { ratios, completion, cache, perCall }: Prices): Record<string, string> | null {
  const call = shifted(perCall[model], 0);
  if (call !== null) return { currency: 'USD', per_request: call };
  const ratio = ratios[model];
  if (typeof ratio !== 'number') return null;
  const price: Record<string, string> = { currency: 'USD' };
  const add = (field: string, amount: string | null): void => {
    if (amount !== null) price[field] = amount;
  };
  add('input', product(ratio, 2));
  const [out, cached] = [completion[model], cache[model]];
  if (typeof out === 'number') add('output', product(ratio, 2, out));
  if (typeof cached === 'number') add('cached_input', product(ratio, 2, cached));
  return price;
}
