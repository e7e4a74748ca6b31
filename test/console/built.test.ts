/** The built console: sizes by gzip, and nothing in it that a browser would fetch from another host. */
import { execFile } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { copyFile, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gzipSync } from 'node:zlib';
import { beforeAll, expect, it } from 'vitest';
import { node } from '../whole/gateway.ts';
import { buildConsole, builtConsole } from './built-console.ts';

const kB = 1_000;
/** The shell: everything that is loaded before a page. */
const shellBudget = 270 * kB;
/** A page beyond the shell, with all files that only it needs. */
const pageBudget = 250 * kB;

const root = join(import.meta.dirname, '../..');
const assets = join(builtConsole, 'assets');
const text = (name: string): string => readFileSync(join(assets, name), 'utf8');
const sizeOf = (name: string): number => gzipSync(readFileSync(join(assets, name))).length;
const staticImport = /(?:import|from)\s*["']\.\/([\w.-]+\.js)["']/g;

/** A file with all files that it imports, and those in turn. */
function closure(name: string, found = new Set<string>()): Set<string> {
  if (found.has(name)) return found;
  found.add(name);
  for (const [, next = ''] of text(name).matchAll(staticImport)) closure(next, found);
  return found;
}

beforeAll(buildConsole);

it('keeps the shell and each page within their budgets', () => {
  const page = readFileSync(join(builtConsole, 'index.html'), 'utf8');
  const entry = /<script[^>]*src="\.\/assets\/([^"]+)"/.exec(page)?.[1] ?? '';
  const shell = closure(entry);
  const sum = (names: Iterable<string>): number => [...names].reduce((total, name) => total + sizeOf(name), 0);
  expect(sum(shell)).toBeLessThanOrEqual(shellBudget);
  const pages = [...text(entry).matchAll(/import\(\s*[`"']\.\/([\w.-]+\.js)[`"']\s*\)/g)].map(([, name = '']) => name);
  expect(pages.length).toBeGreaterThan(0);
  const sizes = pages.map((name) => ({ name, bytes: sum([...closure(name)].filter((each) => !shell.has(each))) }));
  expect(sizes.filter(({ bytes }) => bytes > pageBudget)).toEqual([]);
});

it('says in one line how to get the console where the development packages are left out', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pailou-console-'));
  await mkdir(join(folder, 'scripts'));
  await mkdir(join(folder, 'console'));
  await copyFile(join(root, 'scripts/build-console.js'), join(folder, 'scripts/build-console.js'));
  await writeFile(join(folder, 'package.json'), '{"type":"module"}');
  await writeFile(join(folder, 'console/vite.config.ts'), '');
  const { stdout } = await promisify(execFile)(node, [join(folder, 'scripts/build-console.js')]);
  expect(stdout).toBe(
    'The console was not built, because the development packages are missing; run "npm ci" without --omit=dev to get it.\n',
  );
  await rm(folder, { recursive: true });
});

it('has a hash in the name of each file that browsers keep', () => {
  expect(readdirSync(assets).filter((name) => !/-[\w-]{8,}\.(js|css|svg|woff2)(\.br)?$/.test(name))).toEqual([]);
});
