/** The same deployment for each conversation, so that the vendor's prompt cache is used. When a deployment is removed, only its conversations move. */
import { createHash } from 'node:crypto';
import { z } from 'zod';
import { definePlugin } from '../../types/plugin.ts';

/** A number between 0 and 1, both excluded; equal for equal text on every node. */
function drawOf(text: string): number {
  return (createHash('sha256').update(text).digest().readUInt32BE(0) + 1) / (2 ** 32 + 1);
}

export default definePlugin({
  type: 'strategy',
  kind: 'sticky',
  title: 'The same for each conversation',
  options: z.strictObject({}),
  create: () => ({
    // Weighted rendezvous hashing: https://www.ietf.org/archive/id/draft-ietf-bess-weighted-hrw-01.html
    order(candidates, { affinity }) {
      const key = affinity();
      return candidates
        .map((deployment) => ({ deployment, score: -deployment.weight / Math.log(drawOf(`${key}\n${deployment.id}`)) }))
        .toSorted((one, other) => other.score - one.score)
        .map(({ deployment }) => deployment);
    },
  }),
});
