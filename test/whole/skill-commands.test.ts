/** Skill commands against a running gateway. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { freePort, node, runEnv, startGateway, type TestGateway } from './gateway.ts';

const owned = new AsyncDisposableStack();
let gateway: TestGateway;
let folder: string;

beforeAll(async () => {
  gateway = owned.use(await startGateway());
  folder = await mkdtemp(join(tmpdir(), 'pailou-commands-'));
  owned.defer(() => rm(folder, { recursive: true, force: true }));
  await mkdir(join(folder, 'travel', 'references'), { recursive: true });
  await writeFile(join(folder, 'travel', 'SKILL.md'), '---\nname: travel\ndescription: Plans travels.\n---\nPlan.\n');
  await writeFile(join(folder, 'travel', 'references', 'prices.txt'), 'Suzhou: 40 CNY\r\n');
  await writeFile(join(folder, 'travel', 'photo.bin'), Buffer.from([0, 255, 254, 13, 10]));
});
afterAll(() => owned.disposeAsync());

async function pailou(args: readonly string[], env: Record<string, string> = {}): Promise<{ code: number; out: string }> {
  const token = await gateway.token('admin');
  const program = join(import.meta.dirname, '../../src/cli.ts');
  const all = { ...runEnv, PAILOU_URL: gateway.url, PAILOU_TOKEN: token, ...env };
  return new Promise((resolve) => {
    execFile(node, [program, 'skills', ...args], { env: all, cwd: folder }, (error, out, bad) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out: out + bad }),
    );
  });
}
async function bytesOf(path: string): Promise<Record<string, string>> {
  const entries = await readdir(path, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile()).map((entry) => join(entry.parentPath, entry.name));
  return Object.fromEntries(
    await Promise.all(files.map(async (file) => [file.slice(path.length), (await readFile(file)).toString('hex')])),
  );
}

it('a folder is imported and exported again without a changed byte; as a zip too', async () => {
  const imported = await pailou(['import', join(folder, 'travel'), '--model', 'demo/echo']);
  expect(imported).toMatchObject({ code: 0, out: expect.stringContaining('POST /v1/skills/travel/runs') as string });
  expect((await pailou(['export', 'travel', '--to', join(folder, 'out')])).code).toBe(0);
  expect(await bytesOf(join(folder, 'out'))).toEqual(await bytesOf(join(folder, 'travel')));
  expect((await pailou(['export', 'travel', '--to', join(folder, 'travel.zip')])).code).toBe(0);
  expect((await pailou(['import', join(folder, 'travel.zip'), '--model', 'demo/echo', '--replace'])).code).toBe(0);
});

it('no file is overwritten, and links are not followed', async () => {
  expect(await pailou(['export', 'travel', '--to', join(folder, 'travel')])).toMatchObject({
    code: 2,
    out: expect.stringContaining('--to') as string,
  });
  expect((await pailou(['export', 'travel', '--to', join(folder, 'travel.zip')])).code).toBe(2);
  expect(await pailou(['import', join(folder, 'travel'), '--model', 'demo/echo'])).toMatchObject({
    code: 1,
    out: expect.stringContaining('replace=true') as string,
  });
  await mkdir(join(folder, 'linked'));
  await writeFile(join(folder, 'linked', 'SKILL.md'), '---\nname: linked\ndescription: d\n---\nx\n');
  await symlink('/etc/hostname', join(folder, 'linked', 'secret.txt'));
  expect(await pailou(['import', join(folder, 'linked')])).toMatchObject({ code: 2, out: expect.stringContaining('is a link') as string });
});

it('errors name the remedy', async () => {
  const port = String(await freePort());

  const closed = await pailou(['test', 'travel', '--url', `http://127.0.0.1:${port}`]);
  expect(closed).toMatchObject({
    code: 1,
    out: expect.stringMatching(/No gateway answers at http:\/\/127.0.0.1:\d+ \(.*ECONNREFUSED.*--url/s) as string,
  });
  expect(await pailou(['test', 'nothing'])).toMatchObject({
    code: 1,
    out: expect.stringContaining('There is no skill named "nothing"') as string,
  });
  expect(await pailou(['test', 'travel'])).toMatchObject({ code: 1, out: expect.stringContaining('has no cases') as string });
  expect(await pailou(['test', 'travel'], { PAILOU_TOKEN: '' })).toMatchObject({
    code: 2,
    out: expect.stringContaining('PAILOU_TOKEN') as string,
  });
  expect((await pailou(['import', join(folder, 'nowhere')])).code).toBe(2);
  expect((await pailou(['bake', 'travel'])).code).toBe(2);
});
