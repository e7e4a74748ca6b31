/** A PostgreSQL and a Redis of their own, from the programs of the machine, which can be stopped, frozen and made slow. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chownSync, existsSync, readdirSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BreakableProxy, startBreakableProxy } from '../test/storage/breakable-proxy.ts';
import { eventually, freePort } from '../test/whole/gateway.ts';

export interface Server extends AsyncDisposable {
  /** Through the proxy. */
  readonly url: string;
  readonly proxy: BreakableProxy;
  /** Ends the server at once, as a crash does. */
  stop(): Promise<void>;
  /** Starts it again on its files. */
  start(): Promise<void>;
  /** SIGSTOP for every process of it. */
  freeze(): void;
  thaw(): void;
}

interface Program {
  readonly command: readonly [string, ...string[]];
  readonly port: number;
  /** User and group of the process, where it refuses to run as root. */
  readonly user?: { readonly uid: number; readonly gid: number };
  readonly folder: string;
  readonly url: (port: number) => string;
}

/** The process and everything below it. */
function familyOf(pid: number): readonly number[] {
  const parents = new Map<number, number>();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    try {
      const fields = readFileSync(`/proc/${name}/stat`, 'utf8')
        .replace(/^.*\) /s, '')
        .split(' ');
      parents.set(Number(name), Number(fields[1]));
    } catch {
      // It has ended meanwhile.
    }
  }
  const isBelow = (each: number): boolean => each === pid || (parents.has(each) && isBelow(parents.get(each) ?? 0));
  return [...parents.keys()].filter(isBelow);
}

async function startServer({ command, port, user, folder, url }: Program): Promise<Server> {
  const proxy = await startBreakableProxy({ host: '127.0.0.1', port });
  let child: ChildProcess | null = null;
  const signal = (name: NodeJS.Signals): void => {
    for (const pid of familyOf(child?.pid ?? 0)) process.kill(pid, name);
  };
  const isListening = (): Promise<boolean> =>
    new Promise((resolve) => {
      const socket = connect(port, '127.0.0.1', () => resolve(true));
      socket.once('error', () => resolve(false));
      socket.once('connect', () => socket.destroy());
    });
  const start = async (): Promise<void> => {
    const [program, ...rest] = command;
    child = spawn(program, rest, { cwd: folder, stdio: 'ignore', ...user });
    await eventually(isListening, (is) => is);
  };
  const stop = async (): Promise<void> => {
    if (child === null || child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, 'exit');
    // SIGQUIT: the immediate shutdown of PostgreSQL. Redis dies of it.
    child.kill('SIGQUIT');
    await gone;
  };
  await start();
  return {
    url: url(proxy.port),
    proxy,
    stop,
    start,
    freeze: () => signal('SIGSTOP'),
    thaw: () => signal('SIGCONT'),
    async [Symbol.asyncDispose]() {
      signal('SIGCONT');
      await proxy[Symbol.asyncDispose]();
      await stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

function isInstalled(program: string): boolean {
  return (process.env['PATH'] ?? '').split(':').some((folder) => existsSync(join(folder, program)));
}

/** Null where Redis is not installed. */
export async function startRedis(): Promise<Server | null> {
  if (!isInstalled('redis-server')) return null;
  const folder = await mkdtemp(join(tmpdir(), 'pailou-chaos-redis-'));
  const port = await freePort();
  const command = ['redis-server', '--port', String(port), '--bind', '127.0.0.1', '--save', '', '--dir', folder] as const;
  return startServer({ command, port, folder, url: (open) => `redis://127.0.0.1:${open}` });
}

/** The folder of the newest installed PostgreSQL; Debian keeps it off the PATH. */
function findPostgres(): string | null {
  const all = '/usr/lib/postgresql';
  const versions = existsSync(all) ? readdirSync(all).toSorted((one, other) => Number(other) - Number(one)) : [];
  const found = versions.map((version) => join(all, version, 'bin')).find((folder) => existsSync(join(folder, 'initdb')));
  return found ?? (process.env['PATH'] ?? '').split(':').find((folder) => existsSync(join(folder, 'initdb'))) ?? null;
}

/** The user `postgres`, where this process is root: PostgreSQL refuses root. */
function postgresUser(): { uid: number; gid: number } | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const id = (kind: '-u' | '-g'): number => Number(execFileSync('id', [kind, 'postgres'], { encoding: 'utf8' }));
  return { uid: id('-u'), gid: id('-g') };
}

/** Null where PostgreSQL is not installed. */
export async function startPostgres(): Promise<Server | null> {
  const programs = findPostgres();
  if (programs === null) return null;
  const folder = await mkdtemp(join(tmpdir(), 'pailou-chaos-postgres-'));
  const user = postgresUser();
  if (user !== undefined) chownSync(folder, user.uid, user.gid);
  const data = join(folder, 'data');
  execFileSync(join(programs, 'initdb'), ['-D', data, '-U', 'postgres', '-A', 'trust', '--locale=C', '-E', 'UTF8', '--no-sync'], {
    cwd: folder,
    stdio: 'ignore',
    ...user,
  });
  const port = await freePort();
  const options = ['-D', data, '-p', String(port), '-k', folder, '-c', 'listen_addresses=127.0.0.1', '-c', 'max_connections=200'];
  return startServer({
    command: [join(programs, 'postgres'), ...options],
    port,
    folder,
    url: (open) => `postgres://postgres@127.0.0.1:${open}/postgres`,
    ...(user === undefined ? {} : { user }),
  });
}
