/** `pailou login`: the device flow at a real OAuth2 service, confirmed in a browser. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestBrowser } from './browser.ts';
import { eventually, node, runEnv, startGateway, type TestGateway } from './gateway.ts';

const cli = join(import.meta.dirname, '../../src/cli.ts');
let gateway: TestGateway;
let home: string;

beforeAll(async () => {
  gateway = await startGateway();
  home = await mkdtemp(join(tmpdir(), 'pailou-home-'));
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await rm(home, { recursive: true });
});

interface Ended {
  readonly code: number | null;
  readonly out: string;
  readonly errors: string;
}

function run(...args: string[]): { child: ChildProcess; heard: () => string; ended: Promise<Ended> } {
  const child = spawn(node, [cli, ...args], {
    env: { ...runEnv, XDG_CONFIG_HOME: home },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let heard = '';
  child.stderr.on('data', (part: Buffer) => void (heard += part.toString()));
  const closed = new Promise<number | null>((resolve) => child.on('close', resolve));
  const ended = Promise.all([closed, text(child.stdout)]).then(([code, out]) => ({ code, out, errors: heard }));
  return { child, heard: () => heard, ended };
}

/** Opens the address that the command prints, signs in and confirms. */
async function confirm(address: string, person: string): Promise<string> {
  const browser = new TestBrowser();
  let url = address;
  let html = await (await browser.go(url)).text();
  for (let step = 0; step < 12; step++) {
    if (html.includes('You are signed in')) return html;
    const answer = await browser.submit({ url, html }, html.includes('Choose a person') ? { person } : {});
    const next = answer.headers.get('location');
    if (next === null) {
      html = await answer.text();
      continue;
    }
    const page = await browser.follow(new URL(next, url).href, () => false);
    url = page.url;
    html = (await page.response?.text()) ?? '';
  }
  throw new Error(html);
}

const file = (): string => join(home, 'pailou', 'login.json');
const subject = async (token: string): Promise<string> =>
  (await gateway.as(null, 'GET', '/api/me', undefined, { authorization: `Bearer ${token}` })).json.subject as string;

describe('pailou login', () => {
  it('prints an address and a code, waits for the person, and stores the token for `pailou token`', async () => {
    const { heard, ended } = run('login', gateway.url);
    const address = await eventually(
      async () => /Open (\S+)/.exec(heard())?.[1] ?? '',
      (found) => found !== '',
      15_000,
    );
    expect(await confirm(address, 'developer')).toContain('Go back to your command line');
    expect(await ended).toMatchObject({ code: 0, out: expect.stringContaining('You are signed in') });
    expect((await stat(file())).mode & 0o777).toBe(0o600);
    const printed = await run('token').ended;
    expect(await subject(printed.out.trim())).toBe('developer');
  });

  it('renews a token that is about to expire, and stores the new one', async () => {
    const before = JSON.parse(await readFile(file(), 'utf8')) as { access_token: string };
    await writeFile(file(), JSON.stringify({ ...before, expires_at: Date.now() + 5_000 }));
    const printed = (await run('token').ended).out.trim();
    expect(printed).not.toBe(before.access_token);
    expect(await subject(printed)).toBe('developer');
    expect((await run('token').ended).out.trim()).toBe(printed);
  });

  it('logout revokes the tokens and deletes them', async () => {
    const kept = JSON.parse(await readFile(file(), 'utf8')) as Record<string, unknown>;
    expect(await run('logout').ended).toMatchObject({ code: 0, out: 'You are signed out.\n' });
    await expect(readFile(file())).rejects.toThrow('ENOENT');
    expect((await run('logout').ended).out).toBe('You were not signed in.\n');
    // A copy of the former tokens cannot be renewed.
    await writeFile(file(), JSON.stringify({ ...kept, expires_at: Date.now() }));
    const refused = await run('token').ended;
    expect(refused.code).toBe(1);
    expect(refused.errors).toContain(`pailou login ${gateway.url}`);
    await rm(file());
  });

  it('reports the fault: no gateway, no configured client, a damaged file', async () => {
    expect((await run('login', 'http://127.0.0.1:1').ended).errors).toContain('No gateway answers at http://127.0.0.1:1');
    expect((await run('login', 'gate').ended).code).toBe(2);
    await using other = await startGateway({ PAILOU_OAUTH_ISSUER: gateway.gateway.issuer, PAILOU_OAUTH_AUDIENCE: gateway.url });
    expect((await run('login', other.url).ended).errors).toContain('PAILOU_OAUTH_CLI_CLIENT_ID');
    await writeFile(file(), '{');
    expect((await run('token').ended).errors).toContain('is damaged');
    await rm(file());
  });
});

it.each([
  ['zh-CN,zh;q=0.9,en;q=0.8', 'zh-CN', '选择一个身份'],
  ['de,en;q=0.5,zh;q=0.2', 'en', 'Choose a person'],
  ['fr', 'en', 'Choose a person'],
])('the identity service asks for the person in the language of the browser: %s', async (accepted, language, title) => {
  const browser = new TestBrowser();
  const sent = await browser.follow(`${gateway.url}/auth/login`, (url) => new URL(url).pathname.startsWith('/interaction/'));
  const answer = await browser.go(sent.url, { headers: { 'accept-language': accepted } });
  const html = await answer.text();
  expect(html).toContain(`<html lang="${language}">`);
  expect(html).toContain(`<h1>${title}</h1>`);
});
