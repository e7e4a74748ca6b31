/** Files are read in a process of their own: whatever is in one, it can neither stop nor end the gateway. */
import { type ChildProcess, fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import type { DocumentFile } from '../formats/format.ts';
import type { Answer } from './process.ts';
import type { Section } from '../section.ts';
import { turns } from './turns.ts';
import { damaged, Unreadable } from '../unreadable.ts';

export interface ReadLimits {
  readonly seconds: number;
  /** Resident, of the whole process. */
  readonly memoryMb: number;
}

const entry = fileURLToPath(new URL('./process.ts', import.meta.url));
const takeTurn = turns(2);

function start({ memoryMb }: ReadLimits): ChildProcess {
  return fork(entry, [String(memoryMb)], {
    // Nothing of the gateway's own: neither its flags nor its secrets.
    execArgv: [`--max-old-space-size=${Math.ceil(memoryMb * 0.8)}`],
    env: {},
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'ignore', 'ipc'],
  });
}

/** What it means that a process ended without an answer, and not by us. */
function deathOf(code: number | null, signal: NodeJS.Signals | null, { memoryMb }: ReadLimits): Error {
  const cause = new Error(`The reader of documents ended with ${signal ?? `code ${code}`}, without an answer.`);
  switch (signal) {
    // It answers whatever is thrown in it: it could not even start.
    case null:
      return cause;
    // By its watch or by the system, or by itself when its heap is full.
    case 'SIGKILL':
    case 'SIGABRT':
    case 'SIGTRAP':
    case 'SIGILL':
      return new Unreadable(`needs more than ${memoryMb} MB of memory to be read; send it in parts, or as plain text`, { cause });
    default:
      return damaged(null, cause);
  }
}

/** Waits for its turn, then reads. Throws `Unreadable`, or the signal's reason as soon as nobody waits any more. */
export async function readApart(file: DocumentFile, limits: ReadLimits, signal: AbortSignal): Promise<readonly Section[]> {
  const endTurn = await takeTurn(signal);
  let child: ChildProcess;
  try {
    signal.throwIfAborted();
    child = start(limits);
  } catch (thrown) {
    endTurn();
    throw thrown;
  }
  // Not before it is gone, so that there are never more.
  child.once('exit', endTurn);
  const { promise, resolve, reject } = Promise.withResolvers<readonly Section[]>();
  const leave = (): void => reject(signal.reason as Error);
  const late = setTimeout(
    () => reject(new Unreadable(`took longer than ${limits.seconds} s to read; send it in parts, or as plain text`)),
    limits.seconds * 1_000,
  );
  signal.addEventListener('abort', leave, { once: true });
  child.once('message', (answer: Answer) => {
    if ('sections' in answer) resolve(answer.sections);
    else reject(new Unreadable(answer.fault, { cause: new Error(answer.cause) }));
  });
  child.once('exit', (code, by) => reject(deathOf(code, by, limits)));
  child.once('error', (error) => {
    // It was never started.
    if (child.pid === undefined) endTurn();
    reject(error);
  });
  // If it cannot be told, it is no more, and that is heard of anyway.
  child.send(file, () => {});
  try {
    return await promise;
  } finally {
    clearTimeout(late);
    signal.removeEventListener('abort', leave);
    child.kill('SIGKILL');
  }
}
