/** Checks the file names of a skill folder: none leaves the folder, and none is ambiguous on another file system. */
import { GatewayError } from '../../../types/errors.ts';

const mostDepth = 12;

export function refuseFolder(sentence: string, cause?: unknown): GatewayError {
  return new GatewayError('invalid_request', `The skill folder ${sentence}.`, { param: 'file', cause });
}

const shownAs = (path: string): string => JSON.stringify(path.slice(0, 200));

/** Throws `invalid_request` for a path that leaves the folder. */
export function requirePath(path: string): void {
  const parts = path.split('/');
  const shown = shownAs(path);
  if (path.includes('\\') || path.includes('\0') || /\p{Cc}/u.test(path))
    throw refuseFolder(`holds a file called ${shown}, with characters that a path cannot have`);
  if (path.startsWith('/') || /^[A-Za-z]:/.test(path)) throw refuseFolder(`holds ${shown}, an absolute path`);
  if (parts.some((part) => part === '..' || part === '.' || part === '')) throw refuseFolder(`holds ${shown}, which leads out of it`);
  if (parts.length > mostDepth || path.length > 500) throw refuseFolder(`holds ${shown}, too deep or too long a path`);
  if (!path.isWellFormed()) throw refuseFolder(`holds a file whose name is no text`);
}

/** The path as a case-insensitive file system sees it; ß equals ss there. */
const folded = (path: string): string => path.normalize('NFC').toLowerCase().toUpperCase().normalize('NFC');

/** Throws `invalid_request` for paths that cannot coexist on every file system. */
export function requirePaths(paths: readonly string[]): void {
  const files = new Map<string, string>();
  const folders = new Map<string, string>();
  for (const path of paths) {
    requirePath(path);
    const other = files.get(folded(path));
    if (other === path) throw refuseFolder(`holds ${shownAs(path)} twice`);
    if (other !== undefined)
      throw refuseFolder(`holds ${shownAs(path)} and ${shownAs(other)}, the same name on a file system that ignores case`);
    files.set(folded(path), path);
    const parts = path.split('/');
    for (let depth = 1; depth < parts.length; depth++) {
      const folder = parts.slice(0, depth).join('/');
      const same = folders.get(folded(folder)) ?? folder;
      if (same !== folder)
        throw refuseFolder(`holds the folders ${shownAs(folder)} and ${shownAs(same)}, the same on a file system that ignores case`);
      folders.set(folded(folder), folder);
    }
  }
  for (const [key, path] of files) if (folders.has(key)) throw refuseFolder(`holds ${shownAs(path)} as a file and as a folder`);
}

/** Files that macOS and Windows add on their own. */
export function isLitter(path: string): boolean {
  const parts = path.split('/');
  const last = parts.findLast((part) => part !== '') ?? '';
  return parts.includes('__MACOSX') || last.startsWith('._') || /^(\.ds_store|thumbs\.db|desktop\.ini)$/i.test(last);
}
