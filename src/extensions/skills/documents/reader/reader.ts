/** Reads files in a subprocess. */
import { fileURLToPath } from 'node:url';
import { createSlots, type Waiting } from '../../../../scheduling/fair-queue.ts';
import { SubprocessFault, runInSubprocess, type Limits, SubprocessLost } from '../../sandbox/subprocess.ts';
import type { DocumentFile } from '../formats/detect-format.ts';
import type { Section } from '../section.ts';
import { damaged, UnreadableDocument } from '../document-errors.ts';

export type ReadLimits = Limits;

const entry = fileURLToPath(new URL('./reader-process.ts', import.meta.url));
const takeTurn = createSlots(2);

function faultOf(thrown: unknown, { seconds, memoryMb }: ReadLimits): unknown {
  if (thrown instanceof SubprocessFault) return new UnreadableDocument(thrown.message, { cause: thrown.cause });
  if (!(thrown instanceof SubprocessLost)) return thrown;
  switch (thrown.why) {
    case 'time':
      return new UnreadableDocument(`took longer than ${seconds} s to read; send it in parts, or as plain text`);
    case 'memory':
      return new UnreadableDocument(`needs more than ${memoryMb} MB of memory to be read; send it in parts, or as plain text`, {
        cause: thrown.cause,
      });
    case 'lost':
      return damaged(null, thrown);
    case 'start':
      return thrown;
  }
}

/** Waits for a slot, then reads. Throws `UnreadableDocument`, or the signal's reason when the caller has left. */
export async function readInSubprocess(file: DocumentFile, limits: ReadLimits, waiting: Waiting): Promise<readonly Section[]> {
  try {
    return await runInSubprocess<DocumentFile, readonly Section[]>(entry, file, limits, takeTurn, waiting);
  } catch (thrown) {
    throw faultOf(thrown, limits);
  }
}
