// Builds the web console into `console/dist`; npm runs it as `prepare`. Does nothing when the built files are newer than the sources.
// It is JavaScript that old versions of Node can read.
import { chmodSync, existsSync, mkdtempSync, readdirSync, renameSync, rmSync, statSync } from 'node:fs';
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

if (!existsSync(join(source, 'vite.config.ts'))) {
  // A package, or the first step of an image: there is nothing to build.
} else if (!existsSync(join(root, 'node_modules/vite'))) {
  console.log('The console was not built, because the development packages are missing; run "npm ci" without --omit=dev to get it.');
} else if (!isCurrent()) {
  // React has a development build of its own, several times as large.
  process.env.NODE_ENV = 'production';
  const { build } = await import('vite');
  // Two builds at once must not mix their files.
  const outDir = mkdtempSync(join(root, 'node_modules/.console-'));
  await build({ configFile: join(source, 'vite.config.ts'), build: { outDir }, logLevel: 'warn' });
  chmodSync(outDir, 0o755);
  rmSync(built, { recursive: true, force: true });
  renameSync(outDir, built);
  console.log('The console is built: console/dist');
}
