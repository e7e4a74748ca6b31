/** A full disk, and a step of the wall clock by twelve hours. */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { eventually } from '../test/whole/gateway.ts';
import { losingNothing, type Scenario, startScene, underLoad } from './scene.ts';

async function fill(path: string): Promise<void> {
  await using file = await open(path, 'w');
  const part = Buffer.alloc(65_536);
  const isWritten = (): Promise<boolean> =>
    file.write(part).then(
      () => true,
      () => false,
    );
  while (await isWritten());
}

export const fullDisk: Scenario = {
  fault: 'the disk is full for five seconds',
  async run(owned) {
    const folder = await mkdtemp(join(tmpdir(), 'pailou-chaos-full-'));
    owned.defer(() => rm(folder, { recursive: true, force: true }));
    if (spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=64m', 'tmpfs', folder]).status !== 0)
      return 'not tried: no right to mount a small disk';
    owned.defer(() => void spawnSync('umount', ['-l', folder]));
    const scene = await startScene(owned, [{ PAILOU_DATA_DIR: join(folder, 'data') }]);
    const filler = join(folder, 'filler');
    const ended = await underLoad(scene, 'm', async () => {
      await fill(filler);
      await eventually(
        async () => (await fetch(`${scene.url}/readyz`)).status,
        (status) => status === 503,
      );
      await sleep(5_000);
      await rm(filler);
    });
    return losingNothing(scene, ended);
  },
};

/** Debian's libfaketime, by the folder of the architecture. */
const library = ['x86_64-linux-gnu', 'aarch64-linux-gnu']
  .map((folder) => `/usr/lib/${folder}/faketime/libfaketimeMT.so.1`)
  .find(existsSync);

export const clockSteps: Scenario = {
  fault: "the node's wall clock steps by twelve hours, forward and back",
  async run(owned) {
    if (library === undefined) return 'not tried: libfaketime is not installed';
    const folder = await mkdtemp(join(tmpdir(), 'pailou-chaos-clock-'));
    owned.defer(() => rm(folder, { recursive: true, force: true }));
    const clock = join(folder, 'clock');
    await writeFile(clock, '+0');
    const scene = await startScene(owned, [
      { LD_PRELOAD: library, FAKETIME_TIMESTAMP_FILE: clock, FAKETIME_NO_CACHE: '1', FAKETIME_DONT_FAKE_MONOTONIC: '1' },
    ]);
    const { status, json } = (await scene.nodes[0]?.gateway.as('admin', 'POST', '/api/keys', { title: 'steps' })) ?? {};
    // A token would end with the step. A key lasts a day without a token of its owner.
    if (status !== 201) throw new Error('no key');
    const ended = await underLoad(
      scene,
      'm',
      async () => {
        for (const step of ['+12h', '-12h', '+0']) {
          await writeFile(clock, step);
          await sleep(2_000);
        }
      },
      { bearer: json.key },
    );
    return losingNothing(scene, ended);
  },
};
