/** A stop that comes before the gateway is open, also as the first process of a container. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { createServer, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { freePort, node, runEnv } from './gateway.ts';

const program = join(import.meta.dirname, '../../bin/pailou.js');
/** Starts a program as process 1 of a new PID namespace, as in a container. Not every machine allows it. */
const inNamespace = ['unshare', '--user', '--map-root-user', '--pid', '--fork', '--mount-proc', '--kill-child'];
const mayHaveNamespace = spawnSync(inNamespace[0] ?? '', [...inNamespace.slice(1), 'true']).status === 0;

/** A database server that accepts connections and says nothing: the start waits for it. */
async function silentDatabase() {
  const connected = Promise.withResolvers<void>();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket.on('error', () => {}));
    connected.resolve();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  return {
    url: `postgres://pailou@127.0.0.1:${typeof address === 'object' ? address?.port : 0}/pailou`,
    connected: connected.promise,
    [Symbol.dispose]() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

const ways = [
  { way: 'alone', prefix: [] as string[], isPossible: true },
  { way: 'as the first process of a namespace', prefix: inNamespace, isPossible: mayHaveNamespace },
];

for (const { way, prefix } of ways.filter(({ isPossible }) => isPossible))
  it.each(['SIGTERM', 'SIGINT', 'SIGHUP'] as const)(`${way}: %s during the start ends it with exit code 0`, async (signal) => {
    using database = await silentDatabase();
    const dataDir = await mkdtemp(join(tmpdir(), 'pailou-early-'));
    const settings = { PAILOU_DATABASE_URL: database.url, PAILOU_DATA_DIR: dataDir, PAILOU_PORT: String(await freePort()) };
    const [command, ...args] = [...prefix, node, program, 'start'];
    const child = spawn(command, args, { env: { ...runEnv, ...settings }, stdio: 'ignore', detached: true });
    try {
      const ended = once(child, 'exit');
      await database.connected;
      const [inside] = (await readFile(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8')).split(' ');
      process.kill(prefix.length === 0 ? (child.pid ?? Number.NaN) : Number(inside), signal);
      expect(await ended).toEqual([0, null]);
    } finally {
      if (child.exitCode === null && child.signalCode === null) process.kill(-(child.pid ?? Number.NaN), 'SIGKILL');
      await rm(dataDir, { recursive: true, force: true });
    }
  });
