/** Checks the paths of generated files: inside the target folder and unique on every file system. */

/** The fault of a path, or null. */
export function pathFault(path: string): string | null {
  if (path.startsWith('/') || /^[A-Za-z]:/.test(path) || path.includes('\\')) return 'must be relative, with / between its parts';
  const parts = path.split('/');
  if (parts.some((part) => part === '..' || part === '.' || part === '')) return 'must not hold empty parts, "." or ".."';
  if (parts.some((part) => part.toLowerCase() === '.git')) return 'must not lead into .git';
  return /\p{Cc}/u.test(path) ? 'contains characters that a path cannot have' : null;
}

/** The path as a case-insensitive file system sees it. */
const folded = (path: string): string => path.normalize('NFC').toLowerCase().toUpperCase();

/** The fault of a set of paths as a sentence, or null. */
export function pathsFault(paths: readonly string[]): string | null {
  const files = new Map<string, string>();
  for (const path of paths) {
    const other = files.get(folded(path));
    if (other === path) return `the file ${path} occurs twice`;
    if (other !== undefined) return `${path} and ${other} are the same file on a file system that ignores case`;
    files.set(folded(path), path);
  }
  for (const path of paths) {
    const parts = path.split('/');
    for (let depth = 1; depth < parts.length; depth++) {
      const folder = files.get(folded(parts.slice(0, depth).join('/')));
      if (folder !== undefined) return `${folder} cannot be a file, because ${path} makes it a folder`;
    }
  }
  return null;
}
