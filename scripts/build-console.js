// Builds the web console into `console/dist`; npm runs it as `prepare`. Does nothing when the built files are newer than the sources.
// It is JavaScript that old versions of Node can read.
import { chmodSync, existsSync, mkdirSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = dirname(dirname(fileURLToPath(import.meta.url)));
const source = join(root, 'console');
const built = join(source, 'dist');

function newest(path) {
  if (path === built) return 0;
  const found = statSync(path);
  if (!found.isDirectory()) return found.mtimeMs;
  return Math.max(0, ...readdirSync(path).map((name) => newest(join(path, name))));
}

function isCurrent() {
  const page = join(built, 'index.html');
  if (!existsSync(page)) return false;
  const time = statSync(page).mtimeMs;
  return newest(source) < time && statSync(join(root, 'package-lock.json')).mtimeMs < time;
}

const lock = join(root, 'node_modules/.console-lock');
/** A build takes seconds; an older lock is that of a killed one. */
const staleMs = 120_000;

/** One build at a time; tests in several processes all want the console. */
async function takeLock() {
  for (;;) {
    try {
      mkdirSync(lock);
      return;
    } catch (thrown) {
      if (thrown.code !== 'EEXIST') throw thrown;
    }
    const found = statSync(lock, { throwIfNoEntry: false });
    if (found !== undefined && Date.now() - found.mtimeMs > staleMs) rmSync(lock, { recursive: true, force: true });
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

async function build() {
  await takeLock();
  try {
    if (isCurrent()) return;
    // React has a development build of its own, several times as large.
    process.env.NODE_ENV = 'production';
    const vite = await import('vite');
    const outDir = mkdtempSync(join(root, 'node_modules/.console-'));
    await vite.build({ configFile: join(source, 'vite.config.ts'), build: { outDir }, logLevel: 'warn' });
    chmodSync(outDir, 0o755);
    rmSync(built, { recursive: true, force: true });
    renameSync(outDir, built);
    console.log('The console is built: console/dist');
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

if (!existsSync(join(source, 'vite.config.ts'))) {
  // A package, or the first step of an image: there is nothing to build.
} else if (!existsSync(join(root, 'node_modules/vite'))) {
  console.log('The console was not built, because the development packages are missing; run "npm ci" without --omit=dev to get it.');
} else if (!isCurrent()) {
  await build();
}
