/** Cheapest first, by the price of three parts input to one part output; one without a price comes last. */
import { z } from 'zod';
import { definePlugin } from '../../types/plugin.ts';
import type { Deployment } from '../../types/snapshot.ts';

function cost({ price }: Deployment): number {
  return price === null ? Infinity : price.input * 3 + price.output;
}

export default definePlugin({
  type: 'strategy',
  kind: 'lowest-cost',
  title: 'Cheapest',
  options: z.strictObject({}),
  create: () => ({
    order(candidates, { random }) {
      const currencies = new Set(candidates.flatMap(({ price }) => (price === null ? [] : [price.currency])));
      const draws = new Map(candidates.map((each) => [each, random()]));
      // Two currencies cannot be compared without a rate, which would be a guess: then chance decides.
      return candidates.toSorted(
        (one, other) =>
          (currencies.size > 1 || cost(one) === cost(other) ? 0 : cost(one) - cost(other)) ||
          (draws.get(one) ?? 0) - (draws.get(other) ?? 0),
      );
    },
  }),
});
