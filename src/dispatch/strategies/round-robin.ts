/** Each deployment in turn, regardless of weight. */
import { z } from 'zod';
import { definePlugin } from '../../types/plugin.ts';
import type { ModelEntry } from '../../types/snapshot.ts';

export default definePlugin({
  type: 'strategy',
  kind: 'round-robin',
  title: 'One after the other',
  options: z.strictObject({}),
  create() {
    // Keyed by model entry: a changed model starts again, and a removed one is collected.
    const turns = new WeakMap<ModelEntry, Map<number, number>>();
    return {
      order(candidates, { model, asking }) {
        let tiers = turns.get(model);
        if (tiers === undefined) turns.set(model, (tiers = new Map()));
        const tier = candidates[0]?.tier ?? 0;
        const turn = (tiers.get(tier) ?? 0) % candidates.length;
        if (!asking) tiers.set(tier, turn + 1);
        return [...candidates.slice(turn), ...candidates.slice(0, turn)];
      },
    };
  },
});
