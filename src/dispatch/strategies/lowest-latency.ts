/** Quickest to the first token first. One call in twenty tries another, so that one that was slow once gets its chance. */
import { z } from 'zod';
import { definePlugin } from '../../types/plugin.ts';

const exploration = 0.05;

export default definePlugin({
  type: 'strategy',
  kind: 'lowest-latency',
  title: 'Quickest to the first token',
  options: z.strictObject({}),
  create: () => ({
    order(candidates, { load, random }) {
      const order = candidates
        // What was never measured is tried first: it costs one call to know.
        .map((deployment) => ({ deployment, latency: load(deployment).firstTokenMs ?? 0, draw: random() }))
        .toSorted((one, other) => one.latency - other.latency || one.draw - other.draw)
        .map(({ deployment }) => deployment);
      if (order.length < 2 || random() >= exploration) return order;
      const [explored] = order.splice(1 + Math.floor(random() * (order.length - 1)), 1);
      return explored === undefined ? order : [explored, ...order];
    },
  }),
});
