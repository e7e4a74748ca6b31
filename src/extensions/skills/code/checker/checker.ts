/** Checks the syntax of generated files in a subprocess: a parser may hang or crash on model output. */
import { fileURLToPath } from 'node:url';
import { createSlots, type Waiting } from '../../../../scheduling/fair-queue.ts';
import { SubprocessFault, runInSubprocess, SubprocessLost } from '../../sandbox/subprocess.ts';
import { type CodeFile, hasParser, type Syntax } from '../syntax.ts';

const entry = fileURLToPath(new URL('./checker-process.ts', import.meta.url));
const takeTurn = createSlots(2);
const limits = { seconds: 15, memoryMb: 512 };

/** One verdict for each file. All are `unknown` when the check exceeds 15 seconds or 512 MB. */
export async function checkSyntax(files: readonly CodeFile[], waiting: Waiting): Promise<readonly Syntax[]> {
  const unknown = files.map((): Syntax => ({ verdict: 'unknown' }));
  if (!files.some(hasParser)) return unknown;
  try {
    return await runInSubprocess<readonly CodeFile[], readonly Syntax[]>(entry, files, limits, takeTurn, waiting);
  } catch (thrown) {
    if (thrown instanceof SubprocessFault || thrown instanceof SubprocessLost) return unknown;
    throw thrown;
  }
}
