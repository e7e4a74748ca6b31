/** The YAML files that a path means. */
import { readdirSync, realpathSync, statSync } from 'node:fs';
import { join } from 'node:path';

/**
 * All `.yaml` and `.yml` files below the folder, each once. Names that begin with a dot are left out: `.git`, and the folders in which
 * Kubernetes keeps the files of a ConfigMap, to which the names beside them are links.
 */
function filesBelow(folder: string, above: readonly string[]): string[] {
  const real = realpathSync(folder);
  // A link to a folder above would never end.
  if (above.includes(real)) return [];
  return readdirSync(folder)
    .filter((name) => !name.startsWith('.'))
    .toSorted()
    .flatMap((name) => {
      const path = join(folder, name);
      const found = statSync(path, { throwIfNoEntry: false });
      if (found?.isDirectory() === true) return filesBelow(path, [...above, real]);
      // A link to nothing is named by the error of reading it.
      return /\.ya?ml$/.test(name) ? [path] : [];
    });
}

/** `-` is the standard input. */
export function documentPaths(path: string): string[] {
  return path !== '-' && statSync(path).isDirectory() ? filesBelow(path, []) : [path];
}
