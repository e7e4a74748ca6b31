/** What a sandboxed subprocess may do: read its own code, nothing else. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';
import { runInSubprocess } from '../../../src/extensions/skills/sandbox/subprocess.ts';

it('a sandboxed subprocess reads its own code, and no other file; it writes none and starts no program', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'pailou-nosy-'));
  const file = join(folder, 'of-somebody');
  await writeFile(file, 'secret');
  try {
    const entry = fileURLToPath(new URL('./sandbox-probe.ts', import.meta.url));
    const limits = { seconds: 120, memoryMb: 512 };
    const waiting = { signal: AbortSignal.timeout(120_000), who: 'tests' };
    const seen = await runInSubprocess(entry, { file }, limits, async () => () => {}, waiting);
    expect(seen).toEqual({ own: 'done', read: 'ERR_ACCESS_DENIED', write: 'ERR_ACCESS_DENIED', run: 'ERR_ACCESS_DENIED', environment: [] });
  } finally {
    await rm(folder, { recursive: true });
  }
});
