/** A gateway whose standard output and standard error are files on a full disk. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { mkdtemp, open, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { fetchDevelopmentToken } from '../../src/auth/development/development-token.ts';
import { cli } from './files-scene.ts';
import { eventually, freePort, node, runEnv } from './gateway.ts';

// The system's own file on a disk that is always full.
it.skipIf(!existsSync('/dev/full'))(
  'serves, and stops cleanly, without a line in its logs',
  async () => {
    await using owned = new AsyncDisposableStack();
    const folder = await mkdtemp(join(tmpdir(), 'pailou-test-'));
    owned.defer(() => rm(folder, { recursive: true, force: true }));
    const full = owned.use(await open('/dev/full', 'w'));
    const [port, identity] = [await freePort(), await freePort()];
    const env = {
      ...runEnv,
      PAILOU_PORT: String(port),
      PAILOU_IDENTITY_PORT: String(identity),
      PAILOU_DATA_DIR: folder,
      PAILOU_LOG_LEVEL: 'debug',
      PAILOU_ACCESS_LOG: 'on',
    };
    const child = spawn(node, [cli, 'start'], { env, stdio: ['ignore', full.fd, full.fd] });
    owned.defer(() => void child.kill('SIGKILL'));
    const ended = once(child, 'exit');
    const url = `http://127.0.0.1:${port}`;
    const isReady = (): Promise<boolean> =>
      fetch(`${url}/readyz`).then(
        ({ ok }) => ok,
        () => false,
      );
    await eventually(isReady, (ready) => ready || child.exitCode !== null);
    const authorization = `Bearer ${await fetchDevelopmentToken(`http://127.0.0.1:${identity}`, 'user')}`;
    const body = JSON.stringify({ model: 'demo/echo', messages: [{ role: 'user', content: 'Hi' }] });
    // More than one batch of access lines, and refusals among them.
    for (let call = 0; call < 1_200; call++) {
      const headers = { 'content-type': 'application/json', ...(call % 2 === 0 ? { authorization } : {}) };
      const answer = await fetch(`${url}/v1/chat/completions`, { method: 'POST', headers, body });
      await answer.arrayBuffer();
      expect(answer.status).toBe(call % 2 === 0 ? 200 : 401);
    }
    child.kill('SIGTERM');
    expect(await ended).toEqual([0, null]);
  },
  240_000,
);
