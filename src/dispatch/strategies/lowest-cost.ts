/** Lowest price first, for three parts input to one part output. Deployments without a price come last. */
import { z } from 'zod';
import { definePlugin } from '../../types/plugin.ts';
import { costOf } from '../../types/price.ts';
import type { Deployment } from '../../types/snapshot.ts';
import type { Operation } from '../../types/wire-format.ts';

/** Three parts input to one part output; one of each other unit. */
const sample = { inputTokens: 3_000, outputTokens: 1_000, pictures: 1, milliseconds: 60_000, characters: 1_000, pages: 1, searches: 1 };

/** In femto-units, to compare only. */
function cost({ price }: Deployment, operation: Operation): number {
  const amount = price === null ? null : costOf(price, operation, sample, Date.now());
  return amount === null ? Infinity : Number(amount);
}

export default definePlugin({
  type: 'strategy',
  kind: 'lowest-cost',
  title: 'Cheapest',
  options: z.strictObject({}),
  create: () => ({
    order(candidates, { random, model }) {
      const operation = model.spec.operations[0] ?? 'chat';
      const currencies = new Set(candidates.flatMap(({ price }) => (price === null ? [] : [price.currency])));
      const draws = new Map(candidates.map((each) => [each, random()]));
      // Two currencies cannot be compared without an exchange rate, so the order is random then.
      const costs = new Map(candidates.map((each) => [each, currencies.size > 1 ? 0 : cost(each, operation)]));
      const costIn = (each: Deployment): number => costs.get(each) ?? Infinity;
      return candidates.toSorted(
        (one, other) =>
          (costIn(one) === costIn(other) ? 0 : costIn(one) - costIn(other)) || (draws.get(one) ?? 0) - (draws.get(other) ?? 0),
      );
    },
  }),
});
