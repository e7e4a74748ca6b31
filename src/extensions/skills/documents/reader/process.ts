/** The process in which one file is read, apart from everything else; started and ended by `reader.ts`. */
import { constants, setPriority } from 'node:os';
import { Worker } from 'node:worker_threads';
import { faultOf, readFile } from './file.ts';
import type { DocumentFile } from '../formats/format.ts';
import type { Section } from '../section.ts';

export type Answer = { readonly sections: readonly Section[] } | { readonly fault: string; readonly cause: string };

function answer(given: Answer): void {
  // Nobody may be there any more.
  if (process.connected) process.send?.(given);
}
function answerFault(thrown: unknown): void {
  const { message, cause } = faultOf(thrown);
  answer({ fault: message, cause: cause instanceof Error ? `${cause.name}: ${cause.message}`.slice(0, 500) : '' });
}

try {
  // The gateway's calls come first.
  setPriority(constants.priority.PRIORITY_BELOW_NORMAL);
} catch {
  // Not every system lets itself be told.
}
// Parsers throw out of their own callbacks too.
process.on('uncaughtException', answerFault);
process.on('disconnect', () => process.exit());
process.once('message', ({ bytes, name, type }: DocumentFile) => {
  // Serialized, it is plain bytes.
  readFile({ bytes: Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength), name, type }).then(
    (sections) => answer({ sections }),
    answerFault,
  );
});
// In a loop of a parser nothing is heard here: another thread sees when nobody waits any more, or too much memory is taken.
new Worker(new URL('./watch.ts', import.meta.url), { workerData: { parent: process.ppid, mostMb: Number(process.argv[2]) } });
