/** Starts the processes under measurement and reads their CPU time and memory from the kernel. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const projectRoot = fileURLToPath(new URL('..', import.meta.url));
const ticksPerSecond = 100;

export interface Running {
  readonly pid: number;
  readonly url: string;
  stop(): Promise<void>;
}

function running(child: ChildProcess, url: string): Running {
  const { pid } = child;
  if (pid === undefined) throw new Error('The process did not start.');
  return {
    pid,
    url,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const gone = once(child, 'exit');
      child.kill('SIGTERM');
      // A node drains for five seconds, then writes its compiled code.
      const late = setTimeout(() => child.kill('SIGKILL'), 60_000);
      await gone;
      clearTimeout(late);
    },
  };
}

/** Starts a server of `bench/servers/`, which prints its port when it listens. */
export async function startServer(name: string, ...args: string[]): Promise<Running> {
  const child = spawn(process.execPath, [`bench/servers/${name}.ts`, ...args], { cwd: projectRoot, stdio: ['ignore', 'pipe', 'inherit'] });
  for await (const line of createInterface({ input: child.stdout })) return running(child, `http://127.0.0.1:${line.trim()}`);
  throw new Error(`${name} ended before it listened.`);
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** The minimal environment of a run. Settings of the developer's own shell must not change the measurement. */
export function environment(settings: Readonly<Record<string, string>>): NodeJS.ProcessEnv {
  const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !name.startsWith('PAILOU_')));
  return { ...inherited, ...settings };
}

export interface StartedPailou extends Running {
  /** Milliseconds from the start of the process to the first 200 of `/readyz`. */
  readonly readyMs: number;
  /** CPU time of all threads until then, in milliseconds. */
  readonly readyCpuMs: number;
}

/** Starts Pailou as `npm start` does. */
export async function startPailou(settings: Readonly<Record<string, string>>): Promise<StartedPailou> {
  const url = `http://127.0.0.1:${settings['PAILOU_PORT']}`;
  const began = performance.now();
  const child = spawn(process.execPath, ['bin/pailou.js', 'start'], {
    cwd: projectRoot,
    env: environment(settings),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  const keep = (part: Buffer): void => {
    output = (output + part.toString()).slice(-4000);
  };
  child.stdout.on('data', keep);
  child.stderr.on('data', keep);
  while (performance.now() - began < 180_000) {
    if (child.exitCode !== null) break;
    const ready = await fetch(`${url}/readyz`).then(
      (answer) => answer.ok,
      () => false,
    );
    if (ready) {
      const started = running(child, url);
      return { ...started, readyMs: performance.now() - began, readyCpuMs: cpuMicroseconds(started.pid) / 1_000 };
    }
    await sleep(10);
  }
  child.kill('SIGKILL');
  throw new Error(`Pailou did not become ready. Its last words:\n${output}`);
}

/** Runs one `pailou` command and resolves with its output. */
export async function runPailou(settings: Readonly<Record<string, string>>, ...args: string[]): Promise<string> {
  const child = spawn(process.execPath, ['bin/pailou.js', ...args], {
    cwd: projectRoot,
    env: environment(settings),
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const lines: string[] = [];
  for await (const line of createInterface({ input: child.stdout })) lines.push(line);
  return lines.join('\n').trim();
}

/** CPU time of all threads so far, in microseconds. The kernel's resolution is 10 ms. */
export function cpuMicroseconds(pid: number): number {
  const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
  // The name in parentheses may contain spaces, so fields are counted after it: utime is the 14th of all, stime the 15th.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return ((Number(fields[11]) + Number(fields[12])) / ticksPerSecond) * 1_000_000;
}

export function residentKilobytes(pid: number): number {
  const match = /^VmRSS:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'));
  return Number(match?.[1]);
}
