/** Finds the test files that cannot be loaded because a package of `test/package.json` is not installed. */
import { existsSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { projectRoot, readSources, type SourceFile } from './architecture/source-tree.ts';

/** True for an import of the package, and for the path of a program of it. */
const needs = (file: SourceFile, name: string): boolean =>
  file.text.includes(`${name}/dist/index.js'`) ||
  file.imports.some(({ specifier }) => specifier === name || specifier.startsWith(`${name}/`));

/** The package of `names` that each file needs, by itself or through a file that it imports. Files that need none are not in the result. */
export function findNeeds(files: readonly SourceFile[], names: readonly string[]): ReadonlyMap<string, string> {
  const importers = Map.groupBy(
    files.flatMap(({ path, imports }) => imports.map(({ target }) => ({ path, target }))),
    ({ target }) => target,
  );
  const found = new Map<string, string>();
  const add = (path: string, name: string): void => {
    if (found.has(path)) return;
    found.set(path, name);
    for (const importer of importers.get(path) ?? []) add(importer.path, name);
  };
  for (const file of files) for (const name of names) if (needs(file, name)) add(file.path, name);
  return found;
}

/** Paths of test files from the project's root, each with a missing package. */
export function findLeftOut(): ReadonlyMap<string, string> {
  const { dependencies } = JSON.parse(readFileSync(join(projectRoot, 'test/package.json'), 'utf8')) as { dependencies: object };
  const missing = Object.keys(dependencies).filter((name) => !existsSync(join(projectRoot, 'test/node_modules', name)));
  if (missing.length === 0) return new Map();
  return new Map([...findNeeds(readSources('test'), missing)].filter(([path]) => path.endsWith('.test.ts')));
}

/** True when a run with these file names and patterns of the command line has the file. Vitest compares in the same way; no pattern means every file. */
export function isAskedFor(path: string, patterns: readonly string[]): boolean {
  if (patterns.length === 0) return true;
  const lower = path.toLowerCase();
  return patterns.some((given) => {
    const pattern = given.replace(/:\d+$/, '');
    const fromRoot = relative(projectRoot, pattern);
    return lower.includes(pattern.toLowerCase()) || lower.includes(fromRoot.toLowerCase());
  });
}
