/**
 * Installs the packages of `test/package.json` if they are not those of its lock file (docs/decisions/0066-test-packages-of-their-own.md).
 * With arguments it then runs a program of theirs: `node scripts/test-packages.ts oxlint --type-aware`. With `--optional` a failed
 * installation is reported and exits with 0, because the tests that need a missing package are left out.
 */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { delimiter, join } from 'node:path';

const root = join(import.meta.dirname, '..');
const folder = join(root, 'test');
const place = join(folder, 'node_modules');
const installedLock = '.installed-lock.json';

function read(path: string): string | null {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
}

const areInstalled = (): boolean => read(join(place, installedLock)) === read(join(folder, 'package-lock.json'));

/** Returns false if there is nothing to rename, or if the new name is taken. */
function rename(from: string, to: string): boolean {
  try {
    renameSync(from, to);
    return true;
  } catch (thrown) {
    if (['ENOENT', 'ENOTEMPTY', 'EEXIST'].includes((thrown as NodeJS.ErrnoException).code ?? '')) return false;
    throw thrown;
  }
}

/** The error output of npm without the stack trace and the fields of the exception. */
const withoutStack = (text: string): string => text.replaceAll(/^npm error(?: {2,}.*| \}|)\n/gm, '').trim();

/**
 * Returns false if npm fails, after printing its error. npm installs into a temporary folder, which then replaces `test/node_modules` by one
 * rename: a killed installation leaves nothing half done, and two at the same time do not disturb each other.
 */
function install(): boolean {
  const work = mkdtempSync(join(root, 'node_modules/.test-packages-'));
  try {
    for (const file of ['package.json', 'package-lock.json']) copyFileSync(join(folder, file), join(work, file));
    // None of the packages needs an install script. Without a network npm gives up after seconds.
    const settings = [
      '--ignore-scripts',
      '--no-audit',
      '--no-fund',
      '--loglevel=error',
      '--fetch-retry-mintimeout=1000',
      '--fetch-retry-factor=2',
    ];
    const npm = spawnSync('npm', ['ci', '--prefix', work, ...settings], {
      cwd: work,
      stdio: ['inherit', 'inherit', 'pipe'],
      encoding: 'utf8',
    });
    if (npm.status !== 0) {
      console.error(withoutStack(npm.stderr));
      return false;
    }
    copyFileSync(join(work, 'package-lock.json'), join(work, 'node_modules', installedLock));
    // Another installation may have come first.
    while (!areInstalled()) {
      rename(place, join(mkdtempSync(join(work, 'before-')), 'node_modules'));
      if (rename(join(work, 'node_modules'), place)) break;
    }
    return true;
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

const isOptional = process.argv[2] === '--optional';
const [program, ...args] = process.argv.slice(isOptional ? 3 : 2);
if (!areInstalled()) {
  console.log('Installing the packages of test/package.json, which only tests and checks need …');
  if (!install()) {
    console.error(
      isOptional
        ? 'The packages of test/package.json are not installed; npm says why above. The tests that need one of them are left out and named at the end.'
        : 'The packages of test/package.json are not installed; npm says why above. When the package registry can be reached, run the command again.',
    );
    process.exit(isOptional ? 0 : 1);
  }
}
if (program !== undefined) {
  // oxlint looks for its type-aware part on the PATH.
  const env = { ...process.env, PATH: `${join(place, '.bin')}${delimiter}${process.env['PATH']}` };
  process.exit(spawnSync(program, args, { stdio: 'inherit', env }).status ?? 1);
}
