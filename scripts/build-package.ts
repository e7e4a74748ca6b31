/** Builds `dist/` for the npm package: JavaScript with declarations, since Node runs no TypeScript below `node_modules`. npm runs it before it packs. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

const root = join(import.meta.dirname, '..');
const dist = join(root, 'dist');

/** The addresses of workers, child processes and example programs, which the compiler does not rewrite. */
const fileAddress = /(new URL\('[^']+)\.ts('\s*,\s*import\.meta\.url\))/g;

rmSync(dist, { recursive: true, force: true });
execFileSync(join(root, 'node_modules/.bin/tsc'), ['-p', 'tsconfig.package.json'], { cwd: root, stdio: 'inherit' });
for (const file of globSync('**/*.js', { cwd: dist })) {
  const path = join(dist, file);
  const text = readFileSync(path, 'utf8');
  const rewritten = text.replaceAll(fileAddress, '$1.js$2');
  if (rewritten !== text) writeFileSync(path, rewritten);
}
for (const file of globSync('src/**/*.{json,zip}', { cwd: root })) {
  const target = join(dist, file);
  mkdirSync(dirname(target), { recursive: true });
  copyFileSync(join(root, file), target);
}
// At the same place beside `src` as in a checkout.
execFileSync(process.execPath, [join(root, 'scripts/build-console.js')], { cwd: root, stdio: 'inherit' });
cpSync(join(root, 'console/dist'), join(dist, 'console/dist'), { recursive: true });
console.log('dist/ is built');
