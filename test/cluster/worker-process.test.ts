/** A worker process, from its start to its end, with small programs in place of the worker. */
import { randomUUID } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import type { WorkerStart } from '../../src/cluster/messages.ts';
import { startWorkerProcess, type WorkerProcess } from '../../src/cluster/worker-process.ts';

const start: WorkerStart = { env: {}, socketPath: '', developmentIssuer: null, folder: '', processes: 2 };

const folder = mkdtempSync(join(tmpdir(), 'pailou-worker-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function begin(program: string): WorkerProcess {
  const path = join(folder, `${randomUUID()}.mjs`);
  writeFileSync(path, program);
  return startWorkerProcess({ program: pathToFileURL(path), start, onMessage: () => {} });
}

test('a process that lives on without its channels is killed, and has ended only when it is gone', async () => {
  // It ignores SIGTERM and never ends by itself.
  const worker = begin(`
    import { closeSync } from 'node:fs';
    process.on('SIGTERM', () => {});
    setInterval(() => {}, 60_000);
    closeSync(4);
    closeSync(5);
  `);
  await expect(worker.ready).rejects.toThrow('ended before it was ready');
  await worker.ended;
  expect(() => process.kill(worker.pid, 0)).toThrow('ESRCH');
});

test('a process that ends at once has ended, too', async () => {
  const worker = begin('process.exit(3);');
  await expect(worker.ready).rejects.toThrow('ended before it was ready');
  await worker.ended;
  expect(() => process.kill(worker.pid, 0)).toThrow('ESRCH');
});
