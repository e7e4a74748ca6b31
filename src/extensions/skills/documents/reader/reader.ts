/** Files are read apart from everything else. */
import { fileURLToPath } from 'node:url';
import { turnsOf, type Waiting } from '../../../../scheduling/fair-queue.ts';
import { ApartFault, doApart, type Limits, NoAnswer } from '../../sandbox/subprocess.ts';
import type { DocumentFile } from '../formats/detect-format.ts';
import type { Section } from '../section.ts';
import { damaged, Unreadable } from '../document-errors.ts';

export type ReadLimits = Limits;

const entry = fileURLToPath(new URL('./reader-process.ts', import.meta.url));
const takeTurn = turnsOf(2);

function faultOf(thrown: unknown, { seconds, memoryMb }: ReadLimits): unknown {
  if (thrown instanceof ApartFault) return new Unreadable(thrown.message, { cause: thrown.cause });
  if (!(thrown instanceof NoAnswer)) return thrown;
  switch (thrown.why) {
    case 'time':
      return new Unreadable(`took longer than ${seconds} s to read; send it in parts, or as plain text`);
    case 'memory':
      return new Unreadable(`needs more than ${memoryMb} MB of memory to be read; send it in parts, or as plain text`, {
        cause: thrown.cause,
      });
    case 'lost':
      return damaged(null, thrown);
    case 'start':
      return thrown;
  }
}

/** Waits for its turn, then reads. Throws `Unreadable`, or the signal's reason as soon as nobody waits any more. */
export async function readApart(file: DocumentFile, limits: ReadLimits, waiting: Waiting): Promise<readonly Section[]> {
  try {
    return await doApart<DocumentFile, readonly Section[]>(entry, file, limits, takeTurn, waiting);
  } catch (thrown) {
    throw faultOf(thrown, limits);
  }
}
