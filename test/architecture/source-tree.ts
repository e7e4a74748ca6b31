/** Reads source files and their import statements, without a compiler: TypeScript 7 has no stable API to ask. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative, sep } from 'node:path';
import { fileURLToPath } from 'node:url';

export const projectRoot = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

export interface Import {
  /** As written: `./a.ts`, `zod`, `node:fs`. */
  readonly specifier: string;
  /** Path from the project's root with `/`, or null for a package or a module of Node itself. */
  readonly target: string | null;
  readonly line: number;
  /** `url`: a file that is named to be started (a worker, a process), not loaded into the importer. */
  readonly form: 'import' | 'url';
}

export interface SourceFile {
  /** Path from the project's root with `/`: `src/auth/decide.ts`. */
  readonly path: string;
  readonly text: string;
  readonly lines: number;
  readonly imports: readonly Import[];
}

/** All files below a folder of the project, as paths from its root, sorted. */
export function listFiles(folder: string): string[] {
  return readdirSync(join(projectRoot, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(projectRoot, join(entry.parentPath, entry.name)).split(sep).join('/'))
    .filter((path) => !path.includes('node_modules/'))
    .sort();
}

const patterns = [
  // import … from 'x' and export … from 'x', over several lines too, types included. No quote or semicolon lies between.
  /^(?:import|export)\b[^'";]*?\bfrom\s*(['"])(?<specifier>[^'"]+)\1/gm,
  // import 'x'
  /^import\s*(['"])(?<specifier>[^'"]+)\1/gm,
  // import('x'), as a value or inside a type
  /\bimport\(\s*(['"])(?<specifier>[^'"]+)\1/g,
  // new URL('./worker.ts', import.meta.url): how a worker thread is named
  /\bnew URL\(\s*(['"])(?<specifier>\.{1,2}\/[^'"]+\.ts)\1\s*,\s*import\.meta\.url/g,
];

/** Every import of a text, in whatever form, in order of appearance. */
export function findImports(path: string, text: string): Import[] {
  const found: (Import & { readonly index: number })[] = [];
  for (const pattern of patterns) {
    for (const match of text.matchAll(pattern)) {
      const specifier = match.groups?.['specifier'] ?? '';
      const target = specifier.startsWith('.') ? posix.normalize(posix.join(posix.dirname(path), specifier)) : null;
      const form = match[0].startsWith('new URL') ? 'url' : 'import';
      found.push({ specifier, target, line: text.slice(0, match.index).split('\n').length, form, index: match.index });
    }
  }
  return found.sort((one, other) => one.index - other.index).map(({ index: _index, ...entry }) => entry);
}

export function readSources(folder: string): SourceFile[] {
  return listFiles(folder)
    .filter((path) => path.endsWith('.ts'))
    .map((path) => {
      const text = readFileSync(join(projectRoot, path), 'utf8');
      return { path, text, lines: text.split('\n').length - 1, imports: findImports(path, text) };
    });
}

/** One import cycle as the list of files along it, or null. */
export function findCycle(files: readonly SourceFile[]): string[] | null {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const done = new Set<string>();
  const trail: string[] = [];
  const visit = (path: string): string[] | null => {
    if (done.has(path)) return null;
    const start = trail.indexOf(path);
    if (start >= 0) return [...trail.slice(start), path];
    trail.push(path);
    for (const { target } of byPath.get(path)?.imports ?? []) {
      const cycle = target === null ? null : visit(target);
      if (cycle !== null) return cycle;
    }
    trail.pop();
    done.add(path);
    return null;
  };
  for (const file of files) {
    const cycle = visit(file.path);
    if (cycle !== null) return cycle;
  }
  return null;
}
