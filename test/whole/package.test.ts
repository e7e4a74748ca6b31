/** The npm package: packed, installed in an empty folder and started there. Node runs no TypeScript below `node_modules`. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { version } from '../../src/types/version.ts';
import { eventually, node, startGateway, startProcess } from './gateway.ts';

const run = promisify(execFile);
const root = join(import.meta.dirname, '../..');
// npm runs scripts with the Node that it finds first.
const env = { ...process.env, PATH: `${dirname(node)}:${process.env['PATH']}` };

interface LockFile {
  readonly packages: Readonly<Record<string, { readonly dev?: boolean }>>;
}

/** Packs, unpacks into `node_modules`, and puts beside it the packages that an installation for use has. */
async function install(folder: string): Promise<string> {
  const modules = join(folder, 'node_modules');
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], { cwd: root, env, maxBuffer: 64 * 1_048_576 });
  const [, tarball = ''] = /"filename": "([^"]+)"/.exec(stdout) ?? [];
  const { packages } = JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')) as LockFile;
  // A nested package comes along with its parent; an optional one of another system is not here.
  const installed = Object.entries(packages)
    .filter(([path, { dev }]) => dev !== true && path.lastIndexOf('node_modules/') === 0 && existsSync(join(root, path)))
    .map(([path]) => path);
  // Hard links where the folder is on the same disk.
  const copy = (how: string) => run('cp', [how, '--parents', ...installed, folder], { cwd: root });
  await copy('-al').catch(() => copy('-a'));
  const own = join(modules, 'pailou');
  await mkdir(own);
  await run('tar', ['-xzf', join(folder, tarball), '--strip-components=1', '-C', own]);
  return own;
}

it('starts below node_modules, answers with models and tools, checks code and reads documents', async () => {
  await using owned = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'pailou-package-'));
  owned.defer(() => rm(folder, { recursive: true, force: true }));
  const own = await install(folder);
  const program = join(own, 'bin/pailou.js');
  expect((await run(node, [program, '--version'])).stdout.trim()).toBe(version);
  expect(JSON.parse(await readFile(join(own, 'package.json'), 'utf8')).version).toBe(version);

  const gateway = owned.use(await startGateway({}, (all) => startProcess(all, program)));
  const hello = { model: 'demo/echo', messages: [{ role: 'user', content: 'Hi' }] };
  expect((await gateway.as('user', 'POST', '/v1/chat/completions', hello)).text).toContain('You said: Hi');
  const page = await gateway.as(null, 'GET', '/console/');
  const script = /src="([^"]+)"/.exec(page.text)?.[1] ?? '';
  expect([page.status, (await gateway.as(null, 'GET', script)).status]).toEqual([200, 200]);
  // The items of the demo server are fetched in the background.
  await eventually(
    () => gateway.as('admin', 'GET', '/api/mcp-servers/demo/items'),
    ({ text }) => text.includes('calculate'),
  );

  // The checker of code and the reader of documents are processes of their own with the right to read installed files only.
  const work = `
    const { checkSyntax } = await import(${JSON.stringify(join(own, 'dist/src/extensions/skills/code/checker/checker.js'))});
    const { readInSubprocess } = await import(${JSON.stringify(join(own, 'dist/src/extensions/skills/documents/reader/reader.js'))});
    const waiting = { signal: new AbortController().signal };
    const verdicts = await checkSyntax([{ path: 'a.py', content: 'print(1' }], waiting);
    const sections = await readInSubprocess({ name: 'a.html', type: 'text/html', bytes: Buffer.from('<p>Hello</p>') }, { seconds: 60, memoryMb: 256 }, waiting);
    console.log(JSON.stringify({ verdicts, sections }));`;
  const { stdout } = await run(node, ['--input-type=module', '-e', work]);
  expect(JSON.parse(stdout)).toMatchObject({ verdicts: [{ verdict: 'doubtful' }], sections: [{ text: 'Hello' }] });
}, 300_000);
