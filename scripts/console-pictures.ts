/** Takes a picture of each page of the console, in both languages, both themes and two widths, from a gateway that it starts. */
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import { startPailou } from '../src/main.ts';

const root = join(import.meta.dirname, '..');
const folder = join(root, 'console/pictures');
const executablePath = process.env['PAILOU_TEST_CHROMIUM'] ?? '/usr/bin/chromium';

/** The addresses of the table of pages, whose file holds JSX. */
async function readPaths(): Promise<string[]> {
  const table = await readFile(join(root, 'console/src/app/pages.tsx'), 'utf8');
  return [...table.matchAll(/path: '([^']+)'/g)].map(([, path = '']) => path);
}

const looks = [
  { language: 'zh', theme: 'light', width: 1_360 },
  { language: 'zh', theme: 'dark', width: 390 },
  { language: 'en', theme: 'dark', width: 1_360 },
  { language: 'en', theme: 'light', width: 390 },
] as const;

await using owned = new AsyncDisposableStack();
const dataDir = await mkdtemp(join(tmpdir(), 'pailou-pictures-'));
owned.defer(() => rm(dataDir, { recursive: true, force: true }));
const gateway = await startPailou({
  PAILOU_PORT: '18690',
  PAILOU_IDENTITY_PORT: '18691',
  PAILOU_DATA_DIR: dataDir,
  PAILOU_LOG_LEVEL: 'error',
  PAILOU_DRAIN_SECONDS: '0',
});
owned.defer(() => gateway.close(1_000));
await rm(folder, { recursive: true, force: true });
await mkdir(folder, { recursive: true });
const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
owned.defer(() => browser.close());

for (const { language, theme, width } of looks) {
  const locale = language === 'zh' ? 'zh-CN' : 'en-US';
  const context = await browser.newContext({ viewport: { width, height: 850 }, locale, colorScheme: theme, reducedMotion: 'reduce' });
  const page = await context.newPage();
  await page.goto(`${gateway.url}/console/`);
  await page.locator('a[href*="auth/login"]').click();
  await page.locator('button[value="admin"]').click();
  await page.locator('#content').waitFor();
  for (const path of await readPaths()) {
    await page.goto(`${gateway.url}/console${path}`);
    // Live pages send requests all the time.
    await page.waitForLoadState('networkidle', { timeout: 5_000 }).catch(() => undefined);
    const name = `${path === '/' ? 'home' : path.slice(1)}-${language}-${theme}-${width}.png`;
    await page.screenshot({ path: join(folder, name) });
    console.log(`console/pictures/${name}`);
  }
  await context.close();
}
