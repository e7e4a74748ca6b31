/** The syntax of files that a model wrote, found out apart from everything else: parsers may take for ever, and some break by what they are given. */
import { fileURLToPath } from 'node:url';
import { createSlots, type Waiting } from '../../../../scheduling/fair-queue.ts';
import { SubprocessFault, runInSubprocess, SubprocessLost } from '../../sandbox/subprocess.ts';
import { type CodeFile, hasParser, type Syntax } from '../syntax.ts';

const entry = fileURLToPath(new URL('./checker-process.ts', import.meta.url));
const takeTurn = createSlots(2);
const limits = { seconds: 15, memoryMb: 512 };

/** One for each file. All `unknown` where it cannot be found out in 15 seconds and 512 MB: what cannot be checked is not to blame. */
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
