/** Random by weight: over many calls each deployment gets its share. */
import { definePlugin } from '../../types/plugin.ts';
import { z } from 'zod';
import type { Deployment } from '../../types/snapshot.ts';

/** Draws without replacement, so that the rest of the order, used after a failure, is weighted too. */
export function orderByWeight(candidates: readonly Deployment[], random: () => number): Deployment[] {
  const left = candidates.filter((each) => each.weight > 0);
  const order: Deployment[] = [];
  let total = left.reduce((sum, each) => sum + each.weight, 0);
  while (left.length > 0) {
    let point = random() * total;
    let index = left.findIndex((each) => (point -= each.weight) < 0);
    if (index === -1) index = left.length - 1;
    const [drawn] = left.splice(index, 1);
    if (drawn === undefined) break;
    total -= drawn.weight;
    order.push(drawn);
  }
  return order;
}

export default definePlugin({
  type: 'strategy',
  kind: 'weighted',
  title: 'Random by weight',
  options: z.strictObject({}),
  create: () => ({
    order: (candidates, { random }) => orderByWeight(candidates, random),
  }),
});
