/** Checks the documents against the tree: named paths exist, and layers, decisions and packages are documented. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, expect, it } from 'vitest';
import { missingEntries, unverifiedEntries } from '../scripts/complete-lock-file.ts';
import { findImports, listFiles, projectRoot } from './architecture/source-tree.ts';

const read = (path: string): string => readFileSync(join(projectRoot, path), 'utf8');
const documents = ['README.md', 'README.zh-CN.md', 'CHANGELOG.md', ...listFiles('docs').filter((path) => path.endsWith('.md'))];
interface LockFile {
  readonly packages: Record<
    string,
    {
      readonly hasInstallScript?: boolean;
      readonly optional?: boolean;
      readonly dependencies?: Record<string, string>;
      readonly devDependencies?: Record<string, string>;
    }
  >;
}
const manifest = JSON.parse(read('package.json')) as {
  dependencies: Record<string, string>;
  devDependencies: Record<string, string>;
  scripts: Record<string, string>;
};
/** The packages of each folder that has a lock file. Those of `test/` are not installed by `npm ci`. */
const packagesOf = {
  '.': { ...manifest.dependencies, ...manifest.devDependencies },
  test: (JSON.parse(read('test/package.json')) as { dependencies: Record<string, string> }).dependencies,
};
const packages = { ...packagesOf['.'], ...packagesOf.test };
const lockIn = (folder: string): LockFile => JSON.parse(read(`${folder}/package-lock.json`)) as LockFile;
const folders = Object.keys(packagesOf) as (keyof typeof packagesOf)[];

/** Files under version control, as in a clone, including uncommitted ones and without ignored ones. */
const tracked = execFileSync('git', ['ls-files', '--cached', '--others', '--exclude-standard'], { cwd: projectRoot, encoding: 'utf8' })
  .split('\n')
  .filter((path) => path !== '' && existsSync(join(projectRoot, path)));

/** Paths of this project that a document names: targets of links, and in backticks what begins with one of our folders. */
function pathsIn(document: string): string[] {
  const text = read(document);
  const links = [...text.matchAll(/\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)]*)?\)/g)].map((match) =>
    normalize(join(dirname(document), match[1] ?? '')),
  );
  const quoted = [...text.matchAll(/`((?:src|test|docs|bench|examples|scripts|\.ci)\/[^`\s]*)`/g)].map((match) =>
    (match[1] ?? '').replace(/[.,:;]$/, ''),
  );
  const drawn = [...text.matchAll(/^ +((?:src|test|bench)\/[\w./-]+)/gm)].map((match) => match[1] ?? '');
  return [...links, ...quoted, ...drawn].filter((path) => !/[*<>{}…]/.test(path));
}

describe('the documents', () => {
  it('name only existing paths', () => {
    const named = documents.flatMap((document) => pathsIn(document).map((path) => ({ document, path })));
    expect(named.length, 'The scanner of paths sees too little.').toBeGreaterThan(50);
    const missing = named.filter(({ path }) => !existsSync(join(projectRoot, path)));
    expect(
      missing.map(({ document, path }) => `${document} names ${path}`),
      'A document that points at nothing teaches the reader to distrust the rest.',
    ).toEqual([]);
  });

  it('give the two commands that set everything up and test it', () => {
    expect(read('README.md')).toContain('npm ci && npm start');
    expect(read('README.md')).toContain('npm ci && npm test');
  });

  it('name only npm scripts that exist', () => {
    const named = documents.flatMap((document) => [...read(document).matchAll(/npm run ([\w:-]+)/g)].map((match) => match[1] ?? ''));
    expect(named.filter((script) => manifest.scripts[script] === undefined)).toEqual([]);
  });

  it('describe every layer of src/', () => {
    const text = read('docs/architecture.md');
    const layers = readdirSync(join(projectRoot, 'src'), { withFileTypes: true }).filter((entry) => entry.isDirectory());
    const missing = layers.map(({ name }) => name).filter((name) => !text.includes(`| \`src/${name}/\` |`));
    expect(missing, 'docs/architecture.md has a table of the layers; a new folder belongs in it.').toEqual([]);
  });

  it('give each decision a number of its own, which its title repeats', () => {
    const names = readdirSync(join(projectRoot, 'docs/decisions'));
    expect(new Set(names.map((name) => name.slice(0, 4))).size).toBe(names.length);
    const titles = names.map((name) => read(`docs/decisions/${name}`).split('\n')[0]?.split('.')[0]);
    expect(titles).toEqual(names.map((name) => `# ${Number(name.slice(0, 4))}`));
  });
});

describe('the page of dependencies', () => {
  const rows = [...read('docs/dependencies.md').matchAll(/^\| `([^`]+)` \| ([^ ]+) \|/gm)].map((match) => ({
    name: match[1] ?? '',
    version: match[2] ?? '',
  }));

  it('has one line for each package, with the version that is installed', () => {
    const expected = Object.entries(packages).map(([name, version]) => ({ name, version }));
    const order = (one: { name: string }, other: { name: string }): number => (one.name < other.name ? -1 : 1);
    expect(rows.sort(order), 'docs/dependencies.md says of each package why it is here; add, change or remove its line.').toEqual(
      expected.sort(order),
    );
  });

  it('states correctly that versions are pinned and that only node runs an install script', () => {
    expect(Object.entries(packages).filter(([, version]) => !/^\d+\.\d+\.\d+(-[a-z]+\.\d+)?$/.test(version))).toEqual([]);
    const withScript = folders.flatMap((folder) =>
      Object.entries(lockIn(folder).packages).filter(([, entry]) => entry.hasInstallScript === true && entry.optional !== true),
    );
    expect(withScript.map(([path]) => path)).toEqual(['node_modules/node']);
  });

  it('keeps packages that only tests and checks need out of what `npm ci` installs', () => {
    const users = tracked.filter((path) => /\.(ts|tsx|js)$/.test(path) && !path.startsWith('test/'));
    const imported = new Set(users.flatMap((path) => findImports(path, read(path)).map(({ specifier }) => specifier)));
    /** Programs, types of packages that are imported, and grammars whose names are made at run time: no file imports them by name. */
    const isNeeded = (name: string): boolean =>
      /^(node|typescript|vitest|@types\/.*|@lezer\/.*)$/.test(name) ||
      [...imported].some((each) => each === name || each.startsWith(`${name}/`));
    expect(users.length).toBeGreaterThan(500);
    expect(
      Object.keys(packagesOf['.']).filter((name) => !isNeeded(name)),
      'Everyone who installs Pailou would load them. Move them to test/package.json: see docs/decisions/0066-test-packages-of-their-own.md.',
    ).toEqual([]);
  });

  it('lists no package twice', () => {
    expect(Object.keys(packagesOf.test).filter((name) => name in packagesOf['.'])).toEqual([]);
  });
});

describe.each(folders)('the lock file in %s', (folder) => {
  it('locks what package.json asks for', () => {
    const root = lockIn(folder).packages[''];
    expect({ ...root?.dependencies, ...root?.devDependencies }, 'Run npm install, then npm run lock.').toEqual(packagesOf[folder]);
  });

  it('has the optional packages of every platform', () => {
    const { packages: locked } = lockIn(folder);
    expect(Object.keys(locked).length).toBeGreaterThan(200);
    expect(missingEntries(locked), 'Without them `npm ci` refuses the lock file on every machine. Add them: npm run lock').toEqual([]);
  });

  it('fixes the content of each package, including those of other platforms', () => {
    const { packages: locked } = lockIn(folder);
    expect(unverifiedEntries(locked), 'They would be installed whatever a registry sends. Complete them: npm run lock').toEqual([]);
    expect(unverifiedEntries({ '': {}, 'node_modules/a': { integrity: 'x' }, 'node_modules/b': { optional: true } })).toEqual([
      'node_modules/b',
    ]);
  });
});

describe('what is committed', () => {
  it('names no path of one machine', () => {
    const home = /(?:^|[\s"'`=(:])\/(?:home|root|Users|work|farm)\/[\w.-]+/;
    const found = tracked
      .filter((path) => /\.(ts|js|mjs|json|jsonc|md|yml|yaml|sh)$|run$/.test(path))
      .filter((path) => home.test(read(path)));
    expect(found, 'A path of one machine means nothing on the next.').toEqual([]);
  });

  it('names no package registry, so that it installs behind any mirror', () => {
    for (const folder of folders) expect(read(`${folder}/package-lock.json`)).not.toMatch(/"resolved": "https?:/);
    expect(tracked.filter((path) => /(^|\/)\.npmrc$/.test(path)).filter((path) => /registry\s*=/.test(read(path)))).toEqual([]);
  });
});
