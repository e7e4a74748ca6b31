/** One gateway process at a time on a SQLite file. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { openDatabase } from '../../src/storage/open-database.ts';
import { node } from '../whole/gateway.ts';
import { memoryLogger } from './databases.ts';

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'pailou-lock-'));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

const open = (forGateway: boolean) => openDatabase({ url: null, dataDir, logger: memoryLogger(), forGateway });

it('a second gateway is refused, with the remedy, and opens when the first has closed', async () => {
  const first = await open(true);
  await expect(open(true)).rejects.toMatchObject({
    code: 'storage_unavailable',
    message: expect.stringMatching(
      /Another gateway process runs on the database .*pailou\.db.*PAILOU_DATA_DIR.*PAILOU_DATABASE_URL/,
    ) as string,
  });
  await first.ping();
  await first.close();
  const second = await open(true);
  await second.ping();
  await second.close();
});

it('a command works beside a gateway, and a gateway beside a command', async () => {
  const gateway = await open(true);
  const command = await open(false);
  await expect(command.ping()).resolves.toBeUndefined();
  await gateway.close();
  const other = await open(true);
  await Promise.all([command.close(), other.close()]);
});

it('a gateway that was killed leaves no lock', async () => {
  const module = pathToFileURL(join(import.meta.dirname, '../../src/storage/sqlite/gateway-lock.ts')).href;
  const path = join(dataDir, 'pailou.db');
  const program = `const { lockForGateway } = await import(${JSON.stringify(module)});
    globalThis.held = await lockForGateway(${JSON.stringify(path)});
    console.log('locked');
    setInterval(() => {}, 1_000);`;
  const child = spawn(node, ['--input-type=module', '-e', program], { stdio: ['ignore', 'pipe', 'inherit'] });
  await once(child.stdout, 'data');
  await expect(open(true)).rejects.toMatchObject({ code: 'storage_unavailable' });
  child.kill('SIGKILL');
  await once(child, 'exit');
  const database = await open(true);
  await database.ping();
  await database.close();
});
