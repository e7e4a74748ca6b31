/** Work on what strangers wrote is done in a process of its own: whatever it is, it can neither stop nor end the gateway. */
import { type ChildProcess, fork } from 'node:child_process';
import type { AcquireSlot, Waiting } from '../../../scheduling/fair-queue.ts';
import type { Answer } from './child-process.ts';

export interface Limits {
  readonly seconds: number;
  /** Resident, of the whole process. */
  readonly memoryMb: number;
}

/** What the work itself says is wrong. */
export class SubprocessFault extends Error {}

/** It ended without an answer. `lost`: nobody knows why. */
export class SubprocessLost extends Error {
  readonly why: 'time' | 'memory' | 'start' | 'lost';
  constructor(why: SubprocessLost['why'], options?: ErrorOptions) {
    super(`The work apart gave no answer (${why}).`, options);
    this.why = why;
  }
}

function start(entry: string, { memoryMb }: Limits): ChildProcess {
  return fork(entry, [String(memoryMb)], {
    // Nothing of the gateway's own: neither its flags nor its secrets.
    execArgv: [`--max-old-space-size=${Math.ceil(memoryMb * 0.8)}`],
    env: {},
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
}

/** What it means that a process ended without an answer, and not by us. */
function deathOf(code: number | null, signal: NodeJS.Signals | null): SubprocessLost {
  const cause = new Error(`It ended with ${signal ?? `code ${code}`}.`);
  // It answers whatever is thrown in it: it could not even start.
  if (signal === null) return new SubprocessLost('start', { cause });
  // By its watch or by the system, or by itself when its heap is full.
  const full: readonly NodeJS.Signals[] = ['SIGKILL', 'SIGABRT', 'SIGTRAP', 'SIGILL'];
  return new SubprocessLost(full.includes(signal) ? 'memory' : 'lost', { cause });
}

/** Waits for its turn, then has `entry` do it. Throws `SubprocessFault`, `SubprocessLost`, or the signal's reason as soon as nobody waits any more. */
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
  // Not before it is gone, so that there are never more.
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
    // It was never started.
    if (child.pid === undefined) endTurn();
    reject(error);
  });
  // If it cannot be told, it is no more, and that is heard of anyway.
  child.send(given, () => {});
  try {
    return await promise;
  } finally {
    clearTimeout(late);
    signal.removeEventListener('abort', leave);
    child.kill('SIGKILL');
  }
}
