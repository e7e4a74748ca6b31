/** Lowest latency to the first token first. One call in twenty tries another deployment, so that a slow one is measured again. */
import { z } from 'zod';
import type { DeploymentLoad } from '../../types/dispatch.ts';
import { definePlugin } from '../../types/plugin.ts';

const exploration = 0.05;

/** A deployment without attempts comes first, because one call measures it. One without successful attempts comes last. */
function latencyOf({ firstTokenMs, attempts }: DeploymentLoad): number {
  return firstTokenMs ?? (attempts === 0 ? 0 : Number.MAX_VALUE);
}

export default definePlugin({
  type: 'strategy',
  kind: 'lowest-latency',
  title: 'Quickest to the first token',
  options: z.strictObject({}),
  create: () => ({
    order(candidates, { load, random }) {
      const order = candidates
        .map((deployment) => ({ deployment, latency: latencyOf(load(deployment)), draw: random() }))
        .toSorted((one, other) => one.latency - other.latency || one.draw - other.draw)
        .map(({ deployment }) => deployment);
      if (order.length < 2 || random() >= exploration) return order;
      const [explored] = order.splice(1 + Math.floor(random() * (order.length - 1)), 1);
      return explored === undefined ? order : [explored, ...order];
    },
  }),
});
