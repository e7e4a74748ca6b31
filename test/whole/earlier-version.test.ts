/** A node of an earlier version on the tables of this one. `PAILOU_TEST_WITHOUT_HISTORY=1` leaves this file out (`vitest.config.ts`). */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { callOnce, missingOf, startScene } from '../../chaos/scene.ts';
import { checkOut, earlierCommit } from './earlier-version.ts';

const commit = earlierCommit();

describe.skipIf(commit === null)('a node of an earlier version, from the history of git', () => {
  it('serves on the tables of this version, also after a restart, and this version reads what it wrote', async () => {
    await using owned = new AsyncDisposableStack();
    const earlier = owned.use(checkOut(commit ?? ''));
    const dataDir = await mkdtemp(join(tmpdir(), 'pailou-earlier-data-'));
    owned.defer(() => rm(dataDir, { recursive: true, force: true }));
    const env = { PAILOU_DATA_DIR: dataDir };
    const scene = await startScene(owned, [env]);
    const token = await scene.identity.token('admin');
    const call = async (url: string): Promise<void> => expect(await callOnce(url, token, 'm')).toMatchObject({ end: 'whole' });
    const [first] = scene.nodes;
    await call(scene.url);
    await first?.gateway[Symbol.asyncDispose]();
    for (const round of [1, 2]) {
      const node = await scene.start(env, earlier.program);
      await call(node.gateway.url);
      const spec = { deployments: [{ provider: 'v', model: 'm' }] };
      expect((await node.gateway.as('admin', 'POST', '/api/models', { name: `from-earlier-${round}`, spec })).status).toBe(201);
      await node.gateway[Symbol.asyncDispose]();
    }
    const last = await scene.start(env);
    await call(last.gateway.url);
    expect(await missingOf(last.gateway, scene.vendor)).toBe(0);
    expect((await last.gateway.as('admin', 'GET', '/v1/models/from-earlier-2')).status).toBe(200);
  }, 300_000);
});
