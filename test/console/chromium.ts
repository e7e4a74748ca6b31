/** A real Chromium for tests of the console: signs people in, and records what must never happen on a page. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { type Browser, type BrowserContext, chromium, type Locator, type Page } from 'playwright-core';
import type { Role } from '../../src/types/access.ts';

/** Debian's Chromium, or the one that `PAILOU_TEST_CHROMIUM` names; undefined where there is none. */
export const chromiumPath = [
  process.env['PAILOU_TEST_CHROMIUM'],
  '/usr/bin/chromium',
  '/usr/bin/chromium-browser',
  '/usr/bin/google-chrome',
].find((path) => path !== undefined && existsSync(path));

export type { Browser, Page };

/** Also for programs outside of `test/`, where Node does not find the package. Containers and root users have no sandbox for it. */
export const launchChromium = (...args: readonly string[]): Promise<Browser> =>
  chromium.launch({ executablePath: chromiumPath ?? '', args: ['--no-sandbox', ...args] });

export interface Look {
  readonly language?: 'zh' | 'en';
  readonly theme?: 'light' | 'dark';
  readonly width?: number;
}

export interface Visit extends AsyncDisposable {
  readonly page: Page;
  /** Errors of scripts, violations of the content policy, and requests to other hosts than the gateway. */
  readonly faults: readonly string[];
  /** Each request to the gateway's API, as `METHOD path`. */
  readonly requests: readonly string[];
}

export interface TestBrowser extends AsyncDisposable {
  /** Opens a page of the console as a signed-in person; `null` stays signed out. */
  visit(url: string, role: Role | null, path: string, look?: Look): Promise<Visit>;
}

export async function startChromium(): Promise<TestBrowser> {
  // No test looks at pixels, so nothing emulates a graphics card.
  const browser = await launchChromium('--disable-dev-shm-usage', '--disable-gpu', '--disable-software-rasterizer');
  /** The cookies of people who have signed in, so that only the first visit of each takes that way. */
  const sessions = new Map<string, Awaited<ReturnType<BrowserContext['cookies']>>>();
  return {
    async visit(url, role, path, { language = 'en', theme = 'light', width = 1_280 } = {}) {
      const context: BrowserContext = await browser.newContext({
        viewport: { width, height: 800 },
        locale: language === 'zh' ? 'zh-CN' : 'en-US',
        colorScheme: theme,
        reducedMotion: 'reduce',
      });
      context.setDefaultTimeout(120_000);
      const person = `${url} ${role}`;
      await context.addCookies(sessions.get(person) ?? []);
      const page = await context.newPage();
      const faults: string[] = [];
      const requests: string[] = [];
      page.on('pageerror', (error) => faults.push(`error: ${error.message}`));
      page.on('console', (message) => {
        if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) faults.push(`console: ${message.text()}`);
      });
      let isSignedIn = role === null || sessions.has(person);
      page.on('request', (request) => {
        const target = new URL(request.url());
        if (target.protocol === 'data:') return;
        if (isSignedIn && target.origin !== new URL(url).origin) faults.push(`outside: ${request.url()}`);
        if (target.pathname.startsWith('/api/')) requests.push(`${request.method()} ${target.pathname}${target.search}`);
      });
      await page.goto(`${url}${path}`);
      if (role !== null) {
        if (!isSignedIn) {
          await page.locator('a[href*="auth/login"]').click();
          await page.locator(`button[value="${role}"]`).click();
        }
        await page.locator('#content').waitFor();
        isSignedIn = true;
        sessions.set(person, await context.cookies(url));
      }
      return { page, faults, requests, [Symbol.asyncDispose]: () => context.close() };
    },
    [Symbol.asyncDispose]: () => browser.close(),
  };
}

/** Rows of a table with this text. The tables are virtual, so their rows have no role. */
export function rowsOf(page: Page, text: string): Locator {
  return page.locator('.ant-table-row').filter({ hasText: text });
}

const axeSource = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

interface AxeViolation {
  readonly id: string;
  readonly impact: string | null;
  readonly nodes: readonly { readonly html: string; readonly any: readonly { readonly message: string }[] }[];
}

/** Serious and critical findings of axe on the page as it is now. */
export async function findBarriers(page: Page): Promise<string[]> {
  // The content policy of the page refuses foreign scripts; the debugger's own do not fall under it.
  await page.evaluate(axeSource);
  const violations = await page.evaluate<AxeViolation[]>(`(async () => {
    // Colours are mixed while a dialog fades in.
    const finite = document.getAnimations().filter((each) => Number.isFinite(each.effect?.getComputedTiming().endTime));
    await Promise.allSettled(finite.map((each) => each.finished));
    // What lies under the mask of an open dialog is not read.
    const dialogs = [...document.querySelectorAll('[role="dialog"]')].filter((dialog) => dialog.checkVisibility());
    return (await axe.run(dialogs.at(-1) ?? document, { resultTypes: ['violations'] })).violations;
  })()`);
  return violations
    .filter(({ impact }) => impact === 'serious' || impact === 'critical')
    .flatMap(({ id, nodes }) => nodes.map(({ html, any }) => `${id}: ${html.slice(0, 160)} ${any[0]?.message ?? ''}`));
}

/** Names, units and words that are the same in Chinese. Other Latin words on a Chinese page are untranslated. */
const known = new Set(
  'AI JWT Schema Streamable API APIs MCP JSON YAML HTTP HTTPS URL ID IP Token OpenAI Anthropic Pailou OAuth OAuth2 kB MB GB ms s CSV SSE stdio zip KB CPU QPS UTC USD CNY PDF Bearer SKILL md curl Python TypeScript Claude Code Codex Responses think token Shift'.split(
    ' ',
  ),
);

/** The visible words in Latin letters outside of names and code (`code`, `pre`, `translate="no"`). */
export async function findLatinWords(page: Page): Promise<string[]> {
  const texts = await page.evaluate<string[]>(`(() => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const outside = (element) => element !== null && element.closest('code,pre,script,style,[translate="no"]') === null;
    const found = [];
    for (let node = walker.nextNode(); node !== null; node = walker.nextNode())
      if (outside(node.parentElement) && node.parentElement.checkVisibility()) found.push(node.textContent);
    for (const field of document.querySelectorAll('[placeholder]')) if (outside(field)) found.push(field.placeholder ?? '');
    return found;
  })()`);
  return texts.flatMap((text) => text.match(/[A-Za-z][A-Za-z0-9]+/g) ?? []).filter((word) => !known.has(word));
}
