/** kill -9 under load: which answers that callers have are not in the ledger of the next process. */
import { mkdtemp, readdir, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type EndedCall, missingOf, type Scenario, seenOf, startScene, underLoad } from './scene.ts';

/** Only answers of so many milliseconds before the end may be lost: the interval of the ledger, and the time that a batch takes. */
const allowedMs = 400;

/** What a dead node noted is taken over when its file has not changed for 30 s. That time passes here at once. */
async function ageNotes(dataDir: string): Promise<void> {
  const folder = join(dataDir, 'open-runs');
  for (const name of await readdir(folder).catch(() => [])) await utimes(join(folder, name), new Date(0), new Date(0));
}

export const killedNode: Scenario = {
  fault: 'the node is killed (kill -9) and started again',
  async run(owned) {
    const dataDir = await mkdtemp(join(tmpdir(), 'pailou-chaos-'));
    owned.defer(() => rm(dataDir, { recursive: true, force: true }));
    const scene = await startScene(owned, [{ PAILOU_DATA_DIR: dataDir }]);
    let killedAt = 0;
    const ended = await underLoad(scene, 'm', async () => {
      killedAt = performance.now();
      process.kill(scene.nodes[0]?.pid ?? 0, 'SIGKILL');
    });
    await ageNotes(dataDir);
    const { gateway } = await scene.start({ PAILOU_DATA_DIR: dataDir });
    const missing = await missingOf(gateway, scene.vendor);
    const isLost = async ({ run }: EndedCall): Promise<boolean> => (await gateway.as('admin', 'GET', `/api/runs/${run}`)).status === 404;
    const whole = ended.filter(({ end, run }) => end === 'whole' && run !== null);
    const lost: EndedCall[] = [];
    for (const call of whole) if (await isLost(call)) lost.push(call);
    const oldest = Math.round(Math.max(0, ...lost.map(({ at }) => killedAt - at)));
    const cut = missing - lost.length;
    const seen = seenOf(ended);
    return {
      seen,
      lost: `${lost.length} of ${whole.length} whole answers, the oldest ${oldest} ms before the kill; ${cut} calls without output yet`,
      isExplained: oldest <= allowedMs && cut >= 0 && cut <= seen.broken,
    };
  },
};
