/** Compiled code is kept in the data folder: no other user of the machine can place code there, and it outlasts a restart. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readdir, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { eventually, node, startGateway, startProcess } from './gateway.ts';

const program = join(import.meta.dirname, '../../bin/pailou.js');

it('a start keeps its compiled code in the data folder and not in the temporary folder', async () => {
  await using gateway = await startGateway({ NODE_COMPILE_CACHE: '' }, async (env) => {
    const temporary = join(env['PAILOU_DATA_DIR'] ?? '', 'temporary');
    await mkdir(temporary);
    return startProcess({ ...env, TMPDIR: temporary }, program);
  });
  await gateway.gateway.stop();
  const kept = await readdir(join(gateway.dataDir, 'compile-cache'), { recursive: true });
  expect(kept.length).toBeGreaterThan(500);
  expect(await readdir(join(gateway.dataDir, 'temporary'))).not.toContain('node-compile-cache');
});

it('the next start compiles no TypeScript, neither in its main thread nor in that of the database', async () => {
  const start = (env: Record<string, string>) => startProcess(env, program);
  await using gateway = await startGateway({ NODE_COMPILE_CACHE: '', NODE_DEBUG_NATIVE: 'COMPILE_CACHE' }, start);
  await gateway.gateway.stop();
  const next = await start(gateway.env);
  await next.stop();
  const found = [...next.output().matchAll(/transpile cache for StrippedTypeScript \S*\/src\/(\S+?\.ts)\.\.\.success/g)].map(
    ([, path]) => path,
  );
  expect(found).toContain('cli.ts');
  expect(found).toContain('storage/sqlite/worker.ts');
});

it('a first start writes compiled code only at its end, the next one while it is idle', async () => {
  // 16 marks a collection of everything, as an idle process makes it. The address of this module appears in the output, too.
  const watch = `import { PerformanceObserver } from 'node:perf_hooks';
    new PerformanceObserver((list) => {
      if (list.getEntries().some(({ detail }) => detail.flags === 16)) console.log('IDLE-HEAP-FREED'.toLowerCase());
    }).observe({ entryTypes: ['gc'] });`;
  const options = `--import data:text/javascript,${encodeURIComponent(watch)}`;
  let process: Awaited<ReturnType<typeof startProcess>> | undefined;
  const start = async (env: Record<string, string>) => (process = await startProcess({ ...env, NODE_OPTIONS: options }, program));
  await using gateway = await startGateway({ NODE_COMPILE_CACHE: '', NODE_DEBUG_NATIVE: 'COMPILE_CACHE' }, start);
  const kept = async (): Promise<number> => (await readdir(join(gateway.dataDir, 'compile-cache'), { recursive: true })).length;
  const keptAtIdle = async (): Promise<number> => {
    await eventually(
      async () => process?.output() ?? '',
      (text) => text.includes('idle-heap-freed'),
    );
    return kept();
  };
  // The folder of this version of Node, and what a process before this one left.
  expect(await keptAtIdle()).toBeLessThan(20);
  await process?.stop();
  const first = await kept();
  expect(first).toBeGreaterThan(500);
  await start(gateway.env);
  expect((await keptAtIdle()) - first).toBeLessThan(200);
  // Node's own lines beside it are lost when their reader is slow.
  expect(process?.output()).toContain('flushCompileCache() requested');
  await process?.stop();
});

it('the folder of a first start is readable by its user alone, and a folder that cannot be made is reported as such', async () => {
  await using gateway = await startGateway();
  const begin = async (dataDir: string): Promise<string> => {
    const child = spawn(node, [program, 'start'], {
      env: { ...gateway.env, PATH: process.env['PATH'], PAILOU_DATA_DIR: dataDir },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let output = '';
    child.stderr.on('data', (part: Buffer) => (output += part.toString()));
    await once(child, 'close');
    return output;
  };
  // The port is taken, so that the start ends by itself.
  const fresh = join(gateway.dataDir, 'fresh');
  expect(await begin(fresh)).toContain('is taken');
  expect((await stat(fresh)).mode & 0o777).toBe(0o700);
  await writeFile(join(gateway.dataDir, 'file'), '');
  expect(await begin(join(gateway.dataDir, 'file', 'folder'))).toMatch(/PAILOU_DATA_DIR|data folder|cannot/);
  // On Linux, Node's recursive `mkdir` never returns there.
  expect(await begin('/proc/none')).toContain('PAILOU_DATA_DIR');
});
