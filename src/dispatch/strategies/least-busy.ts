/** Fewest calls in progress first, relative to weight; ties in random order. */
import { z } from 'zod';
import { definePlugin } from '../../types/plugin.ts';

export default definePlugin({
  type: 'strategy',
  kind: 'least-busy',
  title: 'Fewest calls under way',
  options: z.strictObject({}),
  create: () => ({
    order: (candidates, { load, random }) =>
      candidates
        .map((deployment) => ({ deployment, busy: load(deployment).inFlight / deployment.weight, draw: random() }))
        .toSorted((one, other) => one.busy - other.busy || one.draw - other.draw)
        .map(({ deployment }) => deployment),
  }),
});
