/** Makes folders. Node's own recursive `mkdir` never returns below /proc, where nothing can be made. */
import { mkdirSync, statSync } from 'node:fs';
import { dirname } from 'node:path';

const codeOf = (thrown: unknown): string | undefined => (thrown as NodeJS.ErrnoException).code;

/** Makes the folder and its parents, each with this mode. Throws the system's error. For the start of a program, where nothing waits. */
export function makeFolder(folder: string, mode = 0o700): void {
  try {
    mkdirSync(folder, { mode });
  } catch (thrown) {
    if (codeOf(thrown) === 'EEXIST' && statSync(folder).isDirectory()) return;
    const parent = dirname(folder);
    const isMissing = statSync(parent, { throwIfNoEntry: false }) === undefined;
    if (codeOf(thrown) !== 'ENOENT' || !isMissing || parent === folder) throw thrown;
    makeFolder(parent, mode);
    makeFolder(folder, mode);
  }
}
