/** How the gateway serves the console: addresses, caching, policy, prefixes. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort, startGateway, type TestGateway } from '../whole/gateway.ts';
import { buildConsole, builtConsole } from './built-console.ts';

let gateway: TestGateway;
const get = (path: string, headers: Record<string, string> = {}): Promise<Response> =>
  fetch(`${gateway.url}${path}`, { headers, redirect: 'manual' });

beforeAll(async () => {
  buildConsole();
  gateway = await startGateway();
});
afterAll(() => gateway[Symbol.asyncDispose]());

describe('/', () => {
  it('leads browsers to the console and answers programs as before', async () => {
    const browser = await get('/', { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' });
    expect([browser.status, browser.headers.get('location')]).toEqual([302, '/console/']);
    const program = await get('/', { accept: '*/*' });
    expect([program.status, await program.json()]).toEqual([200, { name: 'Pailou', documentation: '/docs' }]);
    expect(program.headers.get('vary')).toContain('accept');
  });
});

describe('/console/', () => {
  it('is the page, asked for anew each time, with a policy that lets nothing in from outside', async () => {
    const page = await get('/console/');
    expect(page.status).toBe(200);
    expect(page.headers.get('content-type')).toBe('text/html; charset=utf-8');
    expect(page.headers.get('cache-control')).toBe('no-cache');
    expect(page.headers.get('content-security-policy')).toBe(
      "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; object-src 'none'; base-uri 'none'; frame-ancestors 'none'",
    );
    expect(await page.text()).not.toMatch(/(?:src|href)="https?:/);
  });

  it('is the page at every address below it, so that addresses of pages can be reloaded', async () => {
    for (const path of ['/console/providers', '/console/calls?open=x', '/console/not/a/page']) {
      const page = await get(path);
      expect([page.status, page.headers.get('content-type')], path).toEqual([200, 'text/html; charset=utf-8']);
    }
    expect((await get('/consoles')).status).toBe(404);
    const bare = await get('/console');
    expect([bare.status, bare.headers.get('location')]).toEqual([302, '/console/']);
  });

  it('lets browsers keep hashed files for ever, and sends them compressed', async () => {
    const [script = ''] = readdirSync(join(builtConsole, 'assets')).filter((name) => /^index-.*\.js$/.test(name));
    const plain = await get(`/console/assets/${script}`, { 'accept-encoding': 'identity' });
    const small = await get(`/console/assets/${script}`, { 'accept-encoding': 'gzip, br' });
    expect(plain.headers.get('cache-control')).toBe('public, max-age=31536000, immutable');
    expect(plain.headers.get('content-type')).toContain('javascript');
    expect(small.headers.get('content-encoding')).toBe('br');
    expect(small.headers.get('content-type')).toBe(plain.headers.get('content-type'));
    expect(await small.text()).toBe(await plain.text());
    const etag = (await get('/console/favicon.svg')).headers.get('etag') ?? '';
    const again = await get('/console/favicon.svg', { 'if-none-match': etag, 'cache-control': 'max-age=0' });
    expect(again.status).toBe(304);
  });

  it('answers 404 for files that are not there, and for paths that lead out of the folder', async () => {
    for (const path of [
      '/console/assets/missing.js',
      '/console/..%2f..%2fpackage.json',
      '/console/assets/..%2findex.html',
      '/console/.env.js',
    ])
      expect((await get(path)).status, path).toBe(404);
  });

  it('works below a prefix that a proxy removes, and believes no prefix that is no path', async () => {
    const page = await (await get('/console/', { 'x-forwarded-prefix': '/tools/llm' })).text();
    expect(page).toContain('"/tools/llm/console/assets/');
    expect(await (await get('/console/', { 'x-forwarded-prefix': '/tools/llm/' })).text()).toBe(page);
    for (const prefix of ['//evil.example', '/a"><script>', 'https://evil.example', '/../x', '/a/../b'])
      expect(await (await get('/console/', { 'x-forwarded-prefix': prefix })).text(), prefix).toContain('src="/console/assets/');
  });

  it('works below the path of the public address', async () => {
    const port = await freePort();
    await using below = await startGateway({ PAILOU_PORT: String(port), PAILOU_PUBLIC_URL: `http://127.0.0.1:${port}/llm` });
    const root = `http://127.0.0.1:${port}`;
    expect(await (await fetch(`${root}/llm/console/`)).text()).toContain('"/llm/console/assets/');
    const start = await fetch(`${root}/llm/`, { headers: { accept: 'text/html' }, redirect: 'manual' });
    expect(start.headers.get('location')).toBe('/llm/console/');
    expect(below.url).toContain(String(port));
  });
});

describe('/auth/login', () => {
  it('begins at the public address when a browser came by another name of this machine', async () => {
    const { port } = new URL(gateway.url);
    const login = await fetch(`http://localhost:${port}/auth/login?return_to=/console/providers`, { redirect: 'manual' });
    expect([login.status, login.headers.get('location')]).toEqual([303, `${gateway.url}/auth/login?return_to=%2Fconsole%2Fproviders`]);
    expect(login.headers.getSetCookie()).toEqual([]);
  });
});
