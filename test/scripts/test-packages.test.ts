/** `scripts/test-packages.ts` with real npm, in a temporary project whose only package is a local file. */
import { execFile } from 'node:child_process';
import { chmod, cp, mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';

const root = join(import.meta.dirname, '../..');

interface Outcome {
  readonly code: number;
  readonly output: string;
}

const run = (program: string, args: readonly string[], cwd: string, env: Readonly<Record<string, string>> = {}): Promise<Outcome> =>
  new Promise((resolve) => {
    execFile(program, args, { cwd, env: { ...process.env, ...env } }, (error, stdout, stderr) => {
      resolve({ code: error === null ? 0 : Number(error.code), output: stdout + stderr });
    });
  });

interface Project extends AsyncDisposable {
  readonly folder: string;
  script(...args: readonly string[]): Promise<Outcome>;
  changeLock(change: (text: string) => string): Promise<void>;
}

/** A project with the script, and with `test/package.json`, whose package `say` prints its arguments. */
async function project(): Promise<Project> {
  const folder = await mkdtemp(join(tmpdir(), 'pailou-test-packages-'));
  const say = join(folder, 'say');
  for (const each of ['node_modules', 'scripts', 'test', 'say']) await mkdir(join(folder, each));
  await cp(join(root, 'scripts/test-packages.ts'), join(folder, 'scripts/test-packages.ts'));
  await writeFile(join(folder, 'package.json'), JSON.stringify({ name: 'project', type: 'module' }));
  await writeFile(join(say, 'package.json'), JSON.stringify({ name: 'say', version: '1.0.0', bin: { say: 'say.js' } }));
  await writeFile(join(say, 'say.js'), '#!/usr/bin/env node\nconsole.log(process.argv.slice(2).join("+"));\nprocess.exit(7);\n');
  await chmod(join(say, 'say.js'), 0o755);
  expect((await run('npm', ['pack', '--pack-destination', folder], say)).code).toBe(0);
  const dependencies = { say: `file:${join(folder, 'say-1.0.0.tgz')}` };
  await writeFile(join(folder, 'test/package.json'), JSON.stringify({ name: 'project-tests', private: true, dependencies }));
  expect((await run('npm', ['install', '--package-lock-only', '--offline', '--no-audit'], join(folder, 'test'))).code).toBe(0);
  return {
    folder,
    changeLock: async (change) => {
      const lock = join(folder, 'test/package-lock.json');
      const text = await readFile(lock, 'utf8');
      const changed = change(text);
      expect(changed).not.toBe(text);
      await writeFile(lock, changed);
    },
    script: (...args) => run(process.execPath, [join(folder, 'scripts/test-packages.ts'), ...args], folder),
    [Symbol.asyncDispose]: () => rm(folder, { recursive: true, force: true }),
  };
}

it('installs once, runs a program with its arguments and hands its exit code on', async () => {
  await using made = await project();
  const first = await made.script('say', 'a', '--b');
  expect(first).toMatchObject({ code: 7, output: expect.stringContaining('a+--b') });
  expect(first.output).toContain('Installing the packages of test/package.json');
  expect(await made.script('say', 'c')).toEqual({ code: 7, output: 'c\n' });
  expect(await readdir(join(made.folder, 'node_modules'))).toEqual([]);
});

it('installs again when the lock file is another one, also twice at the same time', async () => {
  await using made = await project();
  expect((await made.script()).code).toBe(0);
  await made.changeLock((text) => `${text}\n`);
  const both = await Promise.all([made.script(), made.script()]);
  expect(both.map(({ code }) => code)).toEqual([0, 0]);
  expect(await made.script('say', 'a')).toEqual({ code: 7, output: 'a\n' });
});

it('says in a sentence that the packages cannot be had, and fails unless they are optional', async () => {
  await using made = await project();
  // npm installs nothing without a lock file that it can read.
  await made.changeLock(() => '{}');
  const needed = await made.script('say', 'a');
  expect(needed.code).toBe(1);
  expect(needed.output).toContain('The packages of test/package.json are not installed; npm says why above.');
  expect(needed.output).toMatch(/^npm error code EUSAGE$/m);
  const optional = await made.script('--optional');
  expect(optional.code).toBe(0);
  expect(optional.output).toContain('The tests that need one of them are left out and named at the end.');
  expect(await readdir(join(made.folder, 'test'))).toEqual(['package-lock.json', 'package.json']);
  expect(await readdir(join(made.folder, 'node_modules'))).toEqual([]);
});

it('shows no stack of npm where the registry cannot be reached', async () => {
  await using made = await project();
  const dependencies = { say: '1.0.0' };
  await writeFile(join(made.folder, 'test/package.json'), JSON.stringify({ name: 'project-tests', private: true, dependencies }));
  const packages = { '': { name: 'project-tests', dependencies }, 'node_modules/say': { version: '1.0.0' } };
  await made.changeLock(() => JSON.stringify({ name: 'project-tests', lockfileVersion: 3, requires: true, packages }));
  const script = join(made.folder, 'scripts/test-packages.ts');
  const { code, output } = await run(process.execPath, [script], made.folder, {
    // Nothing listens on this port.
    npm_config_registry: 'http://127.0.0.1:1/',
    npm_config_cache: join(made.folder, 'cache'),
    npm_config_fetch_retries: '0',
  });
  expect(code).toBe(1);
  expect(output).toMatch(/^npm error code ECONNREFUSED$/m);
  expect(output).not.toMatch(/^npm error +at /m);
  expect(output).toContain('npm says why above');
});
