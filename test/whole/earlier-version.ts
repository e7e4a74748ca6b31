/** The program of an earlier version, taken from the history of git, with the installed packages. */
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const root = join(import.meta.dirname, '../..');

/** The first version that runs on the tables of a newer one (docs/decisions/0055-an-older-program-on-newer-tables.md). Null without the history of git. */
export function earlierCommit(): string | null {
  const path = 'src/storage/migrations/0056-breaking-migrations.ts';
  const { status, stdout } = spawnSync('git', ['log', '--diff-filter=A', '--format=%H', '--', path], { cwd: root, encoding: 'utf8' });
  if (status !== 0) return null;
  const commit = stdout.trim().split('\n').at(-1) ?? '';
  // A shallow clone has everything in its first commit.
  const isFirst = commit === '' || spawnSync('git', ['rev-parse', '--verify', '--quiet', `${commit}^`], { cwd: root }).status !== 0;
  return isFirst ? null : commit;
}

/** A folder with the files of a commit; `program` starts it. */
export function checkOut(commit: string): Disposable & { readonly program: string; readonly folder: string } {
  const folder = mkdtempSync(join(tmpdir(), 'pailou-earlier-'));
  const files = execFileSync('git', ['archive', commit, 'src', 'bin', 'package.json'], { cwd: root, maxBuffer: 512 * 1024 * 1024 });
  execFileSync('tar', ['-x', '-C', folder], { input: files });
  symlinkSync(join(root, 'node_modules'), join(folder, 'node_modules'));
  return { folder, program: join(folder, 'src/cli.ts'), [Symbol.dispose]: () => rmSync(folder, { recursive: true, force: true }) };
}
