/** Work that tries to read files, write files and start programs; `sandbox.test.ts` runs it in the sandbox. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { serveOneRequest } from '../../../src/extensions/skills/sandbox/child-process.ts';

function outcome(work: () => unknown): string {
  try {
    work();
    return 'done';
  } catch (thrown) {
    return (thrown as NodeJS.ErrnoException).code ?? String(thrown);
  }
}

serveOneRequest(
  ({ file }: { readonly file: string }) => ({
    own: outcome(() => readFileSync(new URL(import.meta.url))),
    read: outcome(() => readFileSync(file)),
    write: outcome(() => writeFileSync(file, 'x')),
    run: outcome(() => spawnSync(process.execPath, ['--version'])),
    environment: Object.keys(process.env).filter((name) => name.startsWith('PAILOU_')),
  }),
  (thrown) => new Error(String(thrown)),
);
