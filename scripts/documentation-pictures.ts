/** The pictures of the documentation, as WebP: English ones beside the English pages, Chinese ones beside the Chinese pages. */
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Browser, Page } from '../test/console/chromium.ts';

const root = join(import.meta.dirname, '..');
const quality = 82;

interface View {
  readonly name: string;
  readonly path: string;
}

const questions = { zh: '请用一句话总结这张发票。', en: 'Summarise this invoice in one sentence.' } as const;

/** Asks both models of the playground, and waits for both answers. */
async function askBoth(page: Page, question: string): Promise<void> {
  await page.locator('.composer textarea').fill(question);
  await page.keyboard.press('Enter');
  await page.locator('.turn-facts a').nth(1).waitFor();
}

async function save(page: Page, file: string): Promise<void> {
  const session = await page.context().newCDPSession(page);
  const { data } = await session.send('Page.captureScreenshot', { format: 'webp', quality });
  await writeFile(file, Buffer.from(data, 'base64'));
  console.log(file);
}

export async function takeDocumentationPictures(browser: Browser, url: string, views: readonly View[]): Promise<void> {
  const call = views.find(({ name }) => name === 'call-one')?.path ?? '/calls';
  for (const language of ['en', 'zh'] as const) {
    const folder = join(root, language === 'zh' ? 'docs/zh/pictures' : 'docs/pictures');
    await mkdir(folder, { recursive: true });
    const context = await browser.newContext({
      viewport: { width: 1_280, height: 760 },
      locale: language === 'zh' ? 'zh-CN' : 'en-US',
      colorScheme: 'light',
      reducedMotion: 'reduce',
    });
    const page = await context.newPage();
    await page.goto(`${url}/console/`);
    await page.locator('a[href*="auth/login"]').click();
    await page.locator('button[value="admin"]').click();
    await page.locator('#content').waitFor();
    for (const { name, path } of [
      { name: 'home', path: '/' },
      { name: 'playground', path: '/playground?model=team-chat&compare=team-code' },
      { name: 'call', path: call },
      { name: 'usage', path: '/usage?period=month' },
    ]) {
      await page.goto(`${url}/console${path}`);
      await page.waitForLoadState('networkidle', { timeout: 2_000 }).catch(() => undefined);
      // The banner of the development mode is not what the picture is about.
      await page.addStyleTag({
        content: '.demo-banner { display: none !important; } * { transition: none !important; animation: none !important; }',
      });
      if (name === 'playground') await askBoth(page, questions[language]);
      await save(page, join(folder, `console-${name}.webp`));
    }
    await context.close();
  }
}
