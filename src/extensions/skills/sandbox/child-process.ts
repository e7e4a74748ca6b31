/** The side of a process that does one piece of work apart from the gateway; started and ended by `apart.ts`. */
import { constants, setPriority } from 'node:os';
import { Worker } from 'node:worker_threads';

export type Answer<Result> = { readonly result: Result } | { readonly fault: string; readonly cause: string };

/** Waits for what is given, answers once, and is ended. `faultOf` makes a sentence of whatever is thrown, also out of callbacks. */
export function serveOneRequest<Given, Result>(
  work: (given: Given) => Result | Promise<Result>,
  faultOf: (thrown: unknown) => Error,
): void {
  const answer = (given: Answer<Result>): void => {
    // Nobody may be there any more.
    if (process.connected) process.send?.(given);
  };
  const answerFault = (thrown: unknown): void => {
    const { message, cause } = faultOf(thrown);
    answer({ fault: message, cause: cause instanceof Error ? `${cause.name}: ${cause.message}`.slice(0, 500) : '' });
  };
  try {
    // The gateway's calls come first.
    setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // Not every system lets itself be told.
  }
  process.on('uncaughtException', answerFault);
  process.on('disconnect', () => process.exit());
  process.once('message', (given: Given) => {
    Promise.try(work, given).then((result) => answer({ result }), answerFault);
  });
  // In a loop nothing is heard here: another thread sees when nobody waits any more, or too much memory is taken.
  new Worker(new URL('./parent-watchdog.ts', import.meta.url), { workerData: { parent: process.ppid, mostMb: Number(process.argv[2]) } });
}
