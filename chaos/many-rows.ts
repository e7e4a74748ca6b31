/** 10,000 models and 100,000 grants, changed every second, while calls run. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fillDataDir, manyGrants, manyModels } from '../bench/many-rows.ts';
import { losingNothing, type Scenario, startScene, underLoad } from './scene.ts';

export const manyRows: Scenario = {
  fault: `${manyModels} models and ${manyGrants} grants, a change every second`,
  async run(owned) {
    const dataDir = await mkdtemp(join(tmpdir(), 'pailou-chaos-rows-'));
    owned.defer(() => rm(dataDir, { recursive: true, force: true }));
    const scene = await startScene(owned, [{ PAILOU_DATA_DIR: dataDir }]);
    const [first] = scene.nodes;
    const options = { base_url: scene.vendor.url };
    await first?.gateway.as('admin', 'POST', '/api/providers', { name: 'bench', spec: { kind: 'openai-compatible', options } });
    await first?.gateway[Symbol.asyncDispose]();
    await fillDataDir(dataDir);
    const filled = await scene.start({ PAILOU_DATA_DIR: dataDir });
    scene.url = filled.gateway.url;
    let longest = 0;
    const change = async (index: number): Promise<void> => {
      const began = performance.now();
      const spec = { subject_type: 'user', subject: `new-${index}`, capability: `model/many-${index}`, action: 'use' };
      const { status, text } = await filled.gateway.as('admin', 'POST', '/api/grants', { spec });
      if (status !== 201) throw new Error(text);
      longest = Math.max(longest, performance.now() - began);
    };
    const ended = await underLoad(scene, 'm', async () => {
      for (let index = 0; index < 10; index++) {
        await change(index);
        await sleep(1_000);
      }
    });
    const outcome = await losingNothing({ ...scene, nodes: [filled] }, ended);
    return { ...outcome, lost: `${outcome.lost}; a change took at most ${Math.round(longest)} ms` };
  },
};
