/** The prices of new-api: ratios by model, or an amount for each call. */
import { placesOfOthers, placesPerMillion, priceAmount, shifted } from './imported.ts';

/** Prices by model. A ratio of one is two dollars per million tokens. */
export interface Prices {
  readonly ratios: Readonly<Record<string, unknown>>;
  readonly completion: Readonly<Record<string, unknown>>;
  readonly cache: Readonly<Record<string, unknown>>;
  readonly perCall: Readonly<Record<string, unknown>>;
}

/** A product without binary rounding of prices with few decimals. Null for one that no price can be. */
function product(...factors: number[]): string | null {
  const exact = shifted(Number(factors.reduce((all, each) => all * each, 1).toPrecision(12)), 0);
  return exact === null ? null : priceAmount(exact, placesPerMillion);
}

/** Null where none is known. `left` gets the members that no price can be. */
export function priceOf(
  model: string,
  { ratios, completion, cache, perCall }: Prices,
  left: (member: string) => void,
): Record<string, string> | null {
  const price: Record<string, string> = { currency: 'USD' };
  const add = (field: string, amount: string | null): void => {
    if (amount === null) left(field);
    else price[field] = amount;
  };
  const call = perCall[model];
  if (typeof call === 'number') {
    const exact = shifted(call, 0);
    add('per_request', exact === null ? null : priceAmount(exact, placesOfOthers));
  } else {
    const ratio = ratios[model];
    if (typeof ratio !== 'number') return null;
    add('input', product(ratio, 2));
    const [out, cached] = [completion[model], cache[model]];
    if (typeof out === 'number') add('output', product(ratio, 2, out));
    if (typeof cached === 'number') add('cached_input', product(ratio, 2, cached));
  }
  return Object.keys(price).length === 1 ? null : price;
}
