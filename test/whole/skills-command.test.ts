/** `pailou skills` with a server that is not a gateway, and with links. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writeZip } from '../../src/extensions/skills/folder/zip.ts';
import { node } from './gateway.ts';

let folder = '';
let url = '';
let answer: (response: ServerResponse) => void = (response) => response.end();
const server = createServer((_request, response) => answer(response));
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pailou-'));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(async () => {
  server.close();
  await rm(folder, { recursive: true, force: true });
});

const run = (args: readonly string[], token = 'sk-1', at = url) =>
  new Promise<{ code: number; out: string }>((resolve) => {
    const program = join(import.meta.dirname, '../../src/cli.ts');
    execFile(node, [program, 'skills', ...args, '--url', at, '--token', token], (error, out, bad) =>
      resolve({ code: typeof error?.code === 'number' ? error.code : 0, out: out + bad }),
    );
  });

it('prints no token or password', async () => {
  const broken = await run(['export', 'x'], 'sk-SECRET-1\nnotice');
  expect(broken.code).toBe(2);
  expect(broken.out).not.toContain('SECRET');
  const away = await run(['export', 'x'], 'sk-1', 'http://me:SECRET@127.0.0.1:1');
  expect(away.code).toBe(2);
  expect(away.out).not.toContain('SECRET');
});

it('reports a server that is not a gateway', async () => {
  answer = (response) => response.end('<html>');
  expect(await run(['test', 'x'])).toMatchObject({ code: 2, out: expect.stringContaining('is not a Pailou gateway') as string });
  answer = (response) => response.writeHead(500).end('{"error":{}}');
  expect(await run(['test', 'x'])).toMatchObject({ code: 1, out: expect.stringContaining('HTTP 500') as string });
});

it('escapes control sequences for the terminal', async () => {
  const message = 'no \u001b[31mred\u009b2J\r\u0007\ttab 好';
  answer = (response) =>
    response.writeHead(404, { 'content-type': 'application/json' }).end(JSON.stringify({ error: { message, code: 'x' } }));
  const { code, out } = await run(['test', 'x']);
  expect(code).toBe(1);
  expect(out).toContain('no \\x1b[31mred\\x9b2J\\x0d\\x07\ttab 好');
});

it('follows no link and overwrites nothing', async () => {
  const zip = await writeZip('x', [{ path: 'SKILL.md', bytes: Buffer.from('---\nname: x\ndescription: d\n---\n') }]);
  answer = (response) => response.end(zip);
  await mkdir(join(folder, 'real'));
  await writeFile(join(folder, 'file'), '');
  await symlink('real', join(folder, 'link'));
  await symlink('elsewhere.zip', join(folder, 'dangling.zip'));
  for (const to of ['link', 'file', 'dangling.zip', 'file/below'])
    expect(await run(['export', 'x', '--to', join(folder, to)]), to).toMatchObject({
      code: 2,
      out: expect.stringContaining('choose another') as string,
    });
  expect(existsSync(join(folder, 'elsewhere.zip'))).toBe(false);
  expect(existsSync(join(folder, 'real/SKILL.md'))).toBe(false);
  expect((await run(['import', join(folder, 'link')])).code).toBe(2);
  expect((await run(['export', 'x', '--to', join(folder, 'real')])).code).toBe(0);
  expect(existsSync(join(folder, 'real/SKILL.md'))).toBe(true);
});
