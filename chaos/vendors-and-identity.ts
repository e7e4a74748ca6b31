/** Half of the vendors fail, and the identity service is down. */
import { setTimeout as sleep } from 'node:timers/promises';
import { losingNothing, type Scenario, startScene, underLoad } from './scene.ts';

export const failingVendors: Scenario = {
  fault: 'half of the vendors answer 500',
  async run(owned) {
    const scene = await startScene(owned, [{}]);
    return losingNothing(scene, await underLoad(scene, 'half', () => sleep(5_000)));
  },
};

export const lostIdentity: Scenario = {
  fault: 'the identity service is down; callers have a token and a key',
  async run(owned) {
    const scene = await startScene(owned, [{}]);
    const { json } = (await scene.nodes[0]?.gateway.as('admin', 'POST', '/api/keys', { title: 'while it is down' })) ?? {};
    const down = async (): Promise<void> => {
      await scene.identity[Symbol.asyncDispose]();
      await sleep(4_000);
    };
    const byToken = await underLoad(scene, 'm', down, { lanes: 10 });
    const byKey = await underLoad(scene, 'm', () => sleep(1_000), { lanes: 10, bearer: json.key });
    return losingNothing(scene, [...byToken, ...byKey]);
  },
};
