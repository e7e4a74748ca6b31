/** Reads and writes a skill's folder on this machine. Follows no links and never leaves the folder. */
import { lstat, readdir, readFile, writeFile } from 'node:fs/promises';
import { dirname, join, relative, resolve, sep } from 'node:path';
import { makeFolder } from '../../storage/make-folder.ts';
import type { SkillFile } from '../../types/skill.ts';
import { UsageError } from './command.ts';

/** All files below `folder` by relative path. Throws UsageError for a link: its target is ambiguous. */
export async function readFolder(folder: string): Promise<readonly SkillFile[]> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files: SkillFile[] = [];
  for (const entry of entries) {
    const place = join(entry.parentPath, entry.name);
    if (entry.isSymbolicLink()) throw new UsageError(`${place} is a link; replace it with the file itself.`);
    if (!entry.isFile()) continue;
    files.push({ path: relative(folder, place).split(sep).join('/'), bytes: await readFile(place) });
  }
  return files.toSorted((one, other) => (one.path < other.path ? -1 : 1));
}

/** Throws UsageError when the path exists, even as a link: nothing is overwritten. */
export async function writeNew(place: string, bytes: Uint8Array): Promise<void> {
  try {
    makeFolder(dirname(place), 0o777);
    await writeFile(place, bytes, { flag: 'wx' });
  } catch (thrown) {
    const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : 'unknown';
    const why = code === 'EEXIST' ? 'is there already' : `cannot be written (${code})`;
    throw new UsageError(`${place} ${why}; choose another with --to.`);
  }
}

/** Throws UsageError when the folder exists: nothing is overwritten. */
export async function writeFolder(folder: string, files: readonly SkillFile[]): Promise<void> {
  const found = await lstat(folder).catch(() => null);
  if (found !== null && !found.isDirectory())
    throw new UsageError(`${folder} already exists and is not a folder; choose another with --to.`);
  const there = found === null ? [] : await readdir(folder);
  if (there.length > 0) throw new UsageError(`${folder} already exists and is not empty; choose another with --to.`);
  for (const { path, bytes } of files) {
    const place = join(folder, ...path.split('/'));
    if (!resolve(place).startsWith(resolve(folder) + sep))
      throw new UsageError(`The skill holds ${path}, which points outside its folder.`);
    await writeNew(place, bytes);
  }
}
