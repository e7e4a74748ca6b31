/** Runs work on untrusted content in a subprocess, so that it can neither block nor crash the gateway. */
import { type ChildProcess, fork } from 'node:child_process';
import { sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { AcquireSlot, Waiting } from '../../../scheduling/fair-queue.ts';
import type { Answer } from './child-process.ts';

export interface Limits {
  readonly seconds: number;
  /** Resident memory of the whole process. */
  readonly memoryMb: number;
}

/** A fault that the work itself reports. */
export class SubprocessFault extends Error {}

/** The subprocess ended without an answer. `lost`: the cause is unknown. */
export class SubprocessLost extends Error {
  readonly why: 'time' | 'memory' | 'start' | 'lost';
  constructor(why: SubprocessLost['why'], options?: ErrorOptions) {
    super(`The subprocess gave no answer (${why}).`, options);
    this.why = why;
  }
}

/** The folder that contains Pailou and its packages: the project, or `node_modules` when Pailou is itself a package. */
function installedIn(): string {
  const own = fileURLToPath(new URL('../../../../', import.meta.url));
  const folder = `${sep}node_modules${sep}`;
  const packages = own.indexOf(folder);
  return packages === -1 ? own : own.slice(0, packages + folder.length);
}

/** The subprocess may read installed code only. It may write no file and start no program. Its one worker thread is the watchdog. */
const permissions = ['--permission', `--allow-fs-read=${installedIn()}*`, '--allow-worker'];

function start(entry: string, { memoryMb }: Limits): ChildProcess {
  return fork(entry, [String(memoryMb)], {
    // Inherits neither flags nor secrets of the gateway.
    execArgv: [`--max-old-space-size=${Math.ceil(memoryMb * 0.8)}`, ...permissions],
    env: {},
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
}

/** The cause when a subprocess ended without an answer and was not killed by the gateway. */
function deathOf(code: number | null, signal: NodeJS.Signals | null): SubprocessLost {
  const cause = new Error(`It ended with ${signal ?? `code ${code}`}.`);
  // It reports every error itself, so it did not start.
  if (signal === null) return new SubprocessLost('start', { cause });
  // Ended by its watchdog, by the system, or by its own full heap.
  const full: readonly NodeJS.Signals[] = ['SIGKILL', 'SIGABRT', 'SIGTRAP', 'SIGILL'];
  return new SubprocessLost(full.includes(signal) ? 'memory' : 'lost', { cause });
}

/** Waits for a slot, then runs `entry`. Throws `SubprocessFault`, `SubprocessLost`, or the signal's reason when the caller has left. */
export async function runInSubprocess<Given extends object, Result>(
  entry: string,
  given: Given,
  limits: Limits,
  takeTurn: AcquireSlot,
  waiting: Waiting,
): Promise<Result> {
  const { signal } = waiting;
  const endTurn = await takeTurn(waiting);
  let child: ChildProcess;
  try {
    signal.throwIfAborted();
    child = start(entry, limits);
  } catch (thrown) {
    endTurn();
    throw thrown;
  }
  // The slot is released after the exit, so that there are never more processes.
  child.once('exit', endTurn);
  const { promise, resolve, reject } = Promise.withResolvers<Result>();
  const leave = (): void => reject(signal.reason as Error);
  const late = setTimeout(() => reject(new SubprocessLost('time')), limits.seconds * 1_000);
  signal.addEventListener('abort', leave, { once: true });
  child.once('message', (answer: Answer<Result>) => {
    if ('result' in answer) resolve(answer.result);
    else reject(new SubprocessFault(answer.fault, { cause: new Error(answer.cause) }));
  });
  child.once('exit', (code, by) => reject(deathOf(code, by)));
  child.once('error', (error) => {
    // The process was never started.
    if (child.pid === undefined) endTurn();
    reject(error);
  });
  // A failed send means that it has exited; the exit event reports it.
  child.send(given, () => {});
  try {
    return await promise;
  } finally {
    clearTimeout(late);
    signal.removeEventListener('abort', leave);
    child.kill('SIGKILL');
  }
}
