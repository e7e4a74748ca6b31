/** The scripts of `pailou completion`, in a real shell. */
import { execFile } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { cli } from '../whole/files-scene.ts';

const run = promisify(execFile);

it('bash completes commands as the first word alone, so that files can follow -f', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pailou-completion-'));
  try {
    const { stdout } = await run(process.execPath, [cli, 'completion', 'bash']);
    await writeFile(join(folder, 'script'), stdout);
    const ask = async (...words: string[]): Promise<string> => {
      const typed = words.map((word) => `'${word}'`).join(' ');
      const script = `. ./script; complete -p pailou >&2; COMP_WORDS=(pailou ${typed}); COMP_CWORD=${words.length}; _pailou; echo "\${COMPREPLY[*]}"`;
      const asked = await run('bash', ['-c', script], { cwd: folder });
      expect(asked.stderr).toContain('-o default -F _pailou pailou');
      return asked.stdout.trim();
    };
    expect(await ask('pro')).toBe('providers');
    expect(await ask('apply', '-f', 'a')).toBe('');
  } finally {
    await rm(folder, { recursive: true });
  }
});
