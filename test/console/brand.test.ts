/** A team's own name and logo on its console. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startPailou } from '../../src/main.ts';
import { readSettings } from '../../src/config/settings.ts';
import { freePort, startGateway, type TestGateway } from '../whole/gateway.ts';
import { buildConsole } from './built-console.ts';
import { chromiumPath, findBarriers, startChromium } from './chromium.ts';

const name = 'Acme <b>"AI"</b> & 研发';
const svg = '<svg xmlns="http://www.w3.org/2000/svg" width="40" height="40"><rect width="40" height="40"/></svg>';
let folder: string;
let gateway: TestGateway;

beforeAll(async () => {
  buildConsole();
  folder = await mkdtemp(join(tmpdir(), 'pailou-brand-'));
  await writeFile(join(folder, 'logo.svg'), svg);
  gateway = await startGateway({ PAILOU_CONSOLE_NAME: ` ${name} `, PAILOU_CONSOLE_LOGO: join(folder, 'logo.svg') });
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

describe('the name and the logo of a team', () => {
  it('are in the page, as text', async () => {
    const page = await (await fetch(`${gateway.url}/console/`)).text();
    expect(page).toContain('<title>Acme &lt;b&gt;&quot;AI&quot;&lt;/b&gt; &amp; 研发</title>');
    expect(page).not.toContain('<b>');
    expect(page).toContain('href="/console/logo"');
  });

  it('are a picture that runs no script', async () => {
    const logo = await fetch(`${gateway.url}/console/logo`);
    expect([logo.status, logo.headers.get('content-type'), await logo.text()]).toEqual([200, 'image/svg+xml', svg]);
    expect(logo.headers.get('content-security-policy')).toContain('sandbox');
    expect(logo.headers.get('x-content-type-options')).toBe('nosniff');
  });

  it.skipIf(chromiumPath === undefined)(
    'are seen at the sign-in, in the header and in the title of each page, on a phone too',
    async () => {
      await using browser = await startChromium();
      await using visit = await browser.visit(gateway.url, 'user', '/console/keys', { language: 'zh' });
      const { page } = visit;
      await page.setViewportSize({ width: 390, height: 844 });
      await page.getByRole('banner').getByText(name, { exact: true }).waitFor();
      expect(await page.title()).toBe(`我的密钥 · ${name}`);
      expect(await page.evaluate('document.querySelector("header img").naturalWidth')).toBe(40);
      expect(await page.evaluate('document.documentElement.scrollWidth')).toBe(390);
      expect(await findBarriers(page)).toEqual([]);
      await page.context().clearCookies();
      await page.goto(`${gateway.url}/console/`);
      await page.getByRole('heading', { name, exact: true }).waitFor();
      expect(visit.faults).toEqual([]);
    },
  );
});

describe('a bad one', () => {
  it.each(['x'.repeat(41), 'two\nlines', 'hidden\u202Ename', '   '])('%j is refused as a name', (text) => {
    expect(() => readSettings({ PAILOU_CONSOLE_NAME: text })).toThrow(/PAILOU_CONSOLE_NAME.*Example: PAILOU_CONSOLE_NAME=Acme AI/s);
  });

  it.each([
    ['logo.exe', 'x', /ends with \.svg, \.png, \.webp/],
    ['missing.svg', null, /cannot be read \(ENOENT\)/],
    ['empty.svg', '', /has 0 bytes/],
    ['large.png', 'x'.repeat(102_401), /102401 bytes; 1 to 102400/],
  ])('%s stops the start', async (file, content, reason) => {
    const path = join(folder, file);
    if (content !== null) await writeFile(path, content);
    const env = {
      PAILOU_CONSOLE_LOGO: path,
      PAILOU_DATA_DIR: join(folder, 'data'),
      PAILOU_PORT: String(await freePort()),
      PAILOU_IDENTITY_PORT: String(await freePort()),
      PAILOU_LOG_LEVEL: 'error',
    };
    await expect(startPailou(env)).rejects.toThrow(reason);
  });
});
