/** The built console for tests: built when its sources are newer, as `npm ci` does. */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { node } from '../whole/gateway.ts';

const root = join(import.meta.dirname, '../..');
export const builtConsole = join(root, 'console/dist');

export function buildConsole(): void {
  execFileSync(node, [join(root, 'scripts/build-console.js')], { cwd: root, stdio: 'pipe' });
}
