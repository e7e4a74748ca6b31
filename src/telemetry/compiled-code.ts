/**
 * Whether the compiled code of this version already lies in the data folder. Node writes it when a process ends, or at once on demand: a
 * first start then writes thousands of small files, which holds the process for seconds on a busy machine.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { getCompileCacheDir } from 'node:module';
import { join } from 'node:path';
import { version } from '../types/version.ts';

function markFile(): string | null {
  const folder = getCompileCacheDir();
  return folder === undefined ? null : join(folder, 'pailou-version');
}

/** True if a process of this version has ended after it had compiled its code: little is left to write. */
export function isCodeKept(): boolean {
  const file = markFile();
  if (file === null) return false;
  try {
    return readFileSync(file, 'utf8') === version;
  } catch {
    return false;
  }
}

/** Call it at the end of the process. */
export function noteCodeKept(): void {
  const file = markFile();
  if (file === null) return;
  try {
    writeFileSync(file, version);
  } catch {
    // Without the mark the next start only keeps some memory longer.
  }
}
