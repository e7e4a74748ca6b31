/** The child side of a subprocess; `subprocess.ts` is the parent side. */
import { constants, setPriority } from 'node:os';
import { Worker } from 'node:worker_threads';

export type Answer<Result> = { readonly result: Result } | { readonly fault: string; readonly cause: string };

/** Waits for one request, answers once, and exits. `faultOf` turns any error into a sentence, also errors of callbacks. */
export function serveOneRequest<Given, Result>(
  work: (given: Given) => Result | Promise<Result>,
  faultOf: (thrown: unknown) => Error,
): void {
  const answer = (given: Answer<Result>): void => {
    // The parent may be gone.
    if (process.connected) process.send?.(given);
  };
  const answerFault = (thrown: unknown): void => {
    const { message, cause } = faultOf(thrown);
    answer({ fault: message, cause: cause instanceof Error ? `${cause.name}: ${cause.message}`.slice(0, 500) : '' });
  };
  try {
    // Lowers the priority, so that the gateway's calls come first.
    setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
  } catch {
    // Not every system allows it.
  }
  process.on('uncaughtException', answerFault);
  process.on('disconnect', () => process.exit());
  process.once('message', (given: Given) => {
    Promise.try(work, given).then((result) => answer({ result }), answerFault);
  });
  // A busy loop handles no messages here, so a watchdog thread checks the parent and the memory.
  new Worker(new URL('./parent-watchdog.ts', import.meta.url), { workerData: { parent: process.ppid, mostMb: Number(process.argv[2]) } });
}
