/**
 * Takes a picture of each page of the console, in both languages, both themes and two widths, from a gateway that it starts and fills.
 * An argument limits it to the pictures whose name contains it: `npm run console:pictures -- calls-zh`; `documentation` makes those of the documentation.
 */
import { mkdir, mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { takeDocumentationPictures } from './documentation-pictures.ts';
import { startPailou } from '../src/main.ts';
import { setScene } from './console-scene.ts';
import { launchChromium } from '../test/console/chromium.ts';

const root = join(import.meta.dirname, '..');
const folder = join(root, 'console/pictures');

interface View {
  readonly name: string;
  readonly path: string;
}

/** The pages of the table of pages, whose file holds JSX. */
async function readPages(): Promise<View[]> {
  const table = await readFile(join(root, 'console/src/app/pages.tsx'), 'utf8');
  return [...table.matchAll(/path: '([^']+)'/g)].map(([, path = '']) => ({ name: path === '/' ? 'home' : path.slice(1), path }));
}

/** Waits for drawers that slide in. */
const stillPictures = `Promise.allSettled(document.getAnimations()
  .filter((each) => Number.isFinite(each.effect?.getComputedTiming().endTime)).map((each) => each.finished))`;

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
const scene = await setScene(gateway, dataDir);
owned.use(scene);
await mkdir(folder, { recursive: true });
const browser = await launchChromium();
owned.defer(() => browser.close());

const views = [...(await readPages()), ...scene.views];
const [wanted = ''] = process.argv.slice(2);

for (const { language, theme, width } of looks) {
  const nameOf = ({ name }: View): string => `${name}-${language}-${theme}-${width}.png`;
  const chosen = views.filter((view) => nameOf(view).includes(wanted));
  if (chosen.length === 0) continue;
  const locale = language === 'zh' ? 'zh-CN' : 'en-US';
  const context = await browser.newContext({ viewport: { width, height: 850 }, locale, colorScheme: theme, reducedMotion: 'reduce' });
  const page = await context.newPage();
  await page.goto(`${gateway.url}/console/`);
  await page.locator('a[href*="auth/login"]').click();
  await page.locator('button[value="admin"]').click();
  await page.locator('#content').waitFor();
  for (const view of chosen) {
    await page.goto(`${gateway.url}/console${view.path}`);
    // Live pages send requests all the time.
    await page.waitForLoadState('networkidle', { timeout: 2_000 }).catch(() => undefined);
    await page
      .waitForFunction("[...document.querySelectorAll('.ant-skeleton')].every((each) => !each.checkVisibility())", null, { timeout: 5_000 })
      .catch(() => console.log(`${view.path} is still loading`));
    await page.evaluate(stillPictures);
    await page.screenshot({ path: join(folder, nameOf(view)) });
    console.log(`console/pictures/${nameOf(view)}`);
  }
  await context.close();
}
if (wanted === 'documentation') await takeDocumentationPictures(browser, gateway.url, scene.views);
