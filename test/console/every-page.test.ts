/** What holds on every page of the console: nothing is cut off on a phone, every control shows its focus, and the focus is never lost. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, startGateway, type TestGateway } from '../whole/gateway.ts';
import { buildConsole } from './built-console.ts';
import { chromiumPath, findBarriers, findLatinWords, startChromium, type TestBrowser } from './chromium.ts';

/** The pages of the table of pages, whose file holds JSX; and what lies in drawers and tabs. */
const table = readFileSync(join(import.meta.dirname, '../../console/src/app/pages.tsx'), 'utf8');
const paths = [
  ...[...table.matchAll(/path: '([^']+)'/g)].map(([, path = '']) => path),
  '/providers?add=yes',
  '/models?open=demo/flaky',
  '/skills?open=demo-greeting&tab=try',
  '/mcp?open=demo&tab=items',
  '/limits?add=yes',
  '/access?tab=matrix',
  '/keys?add=yes',
  '/mcp?from=shared',
];

/** Waits by questions of the debugger; the content policy of the page refuses those that the page would ask itself. */
async function until(page: Page, condition: string): Promise<void> {
  await eventually(
    () => page.evaluate<boolean>(condition),
    (holds) => holds,
  );
}

async function open(page: Page, url: string): Promise<void> {
  await page.goto(url);
  await page.locator('h1').waitFor();
  await page.waitForLoadState('networkidle', { timeout: 2_000 }).catch(() => undefined);
  await until(page, "[...document.querySelectorAll('.ant-skeleton')].every((each) => !each.checkVisibility())");
}

/** What else lies in drawers and tabs of administrators, for a view as another person. */
const more = [
  '/providers?open=seen',
  '/models?open=seen',
  '/models?open=seen&tab=access',
  '/skills?open=seen&tab=cases',
  '/skills?open=seen&tab=versions',
  '/skills?add=folder',
  '/mcp?open=demo&tab=inspector',
  '/mcp?open=demo&tab=state',
  '/access?tab=teams&add=yes',
  '/access?tab=view-as&as=user',
  '/access?tab=tokens',
  '/configuration?add=import',
  '/configuration?open=1',
];

/** Uses every control that is offered, sends every form, and answers with the names of the controls. */
const useAll = `(() => {
  const isOffered = (each) => each.checkVisibility() && !each.disabled && each.closest('.demo-banner') === null;
  const controls = [...document.querySelectorAll('#content button, #content [role=switch], .ant-drawer button, .ant-modal button')]
    .filter((each) => isOffered(each) && !each.matches('.ant-drawer-close, .ant-modal-close'));
  for (const each of controls) each.click();
  for (const form of document.querySelectorAll('form')) form.requestSubmit();
  return controls.map((each) => each.getAttribute('aria-label') ?? each.textContent);
})()`;

/** The control with the focus, and whether it or what surrounds it looks different without. Null: the focus is on the page itself. */
const focused = `(async () => {
  const element = document.activeElement;
  if (element === null || element === document.body) return null;
  const up = (each, levels) => (levels === 0 || each == null ? [] : [each, ...up(each.parentElement, levels - 1)]);
  const near = () => [...up(element, 4), element.nextElementSibling]
    .filter((each) => each != null)
    .map((each) => {
      const style = getComputedStyle(each);
      return [style.outlineStyle, style.outlineWidth, style.boxShadow, style.borderColor, style.backgroundColor, style.left].join(' ');
    }).join('|');
  const before = near();
  element.blur();
  // Some controls draw it a frame later.
  for (let frame = 0; frame < 60 && near() === before; frame++) await new Promise((resolve) => requestAnimationFrame(resolve));
  const isSeen = near() !== before;
  element.focus({ preventScroll: true });
  const name = element.getAttribute('aria-label') ?? element.textContent ?? '';
  return { name: element.tagName + ' ' + element.className + ' ' + name.slice(0, 40), isSeen };
})()`;

interface Focused {
  readonly name: string;
  readonly isSeen: boolean;
}

/** Two dozen pages, each read by axe, on a machine that does other things too. */
const allPagesMs = 900_000;

describe.skipIf(chromiumPath === undefined)('every page of the console', () => {
  let gateway: TestGateway;
  let browser: TestBrowser;
  beforeAll(async () => {
    buildConsole();
    [gateway, browser] = await Promise.all([startGateway(), startChromium()]);
  });
  afterAll(async () => {
    await browser[Symbol.asyncDispose]();
    await gateway[Symbol.asyncDispose]();
  });

  it('is known to this test', () => {
    expect(paths.length).toBeGreaterThan(20);
  });

  it(
    'fits a phone in Chinese and in the dark, without barriers and without a word of English',
    async () => {
      await using visit = await browser.visit(gateway.url, 'admin', '/console/', { language: 'zh', theme: 'dark', width: 390 });
      const { page } = visit;
      for (const path of paths) {
        await open(page, `${gateway.url}/console${path}`);
        expect(await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth'), path).toBe(0);
        expect(await findLatinWords(page), path).toEqual([]);
        expect(await findBarriers(page), path).toEqual([]);
      }
      expect(visit.faults).toEqual([]);
    },
    allPagesMs,
  );

  it(
    'has one first heading, no level left out, and shows the focus of each control that Tab reaches',
    async () => {
      await using visit = await browser.visit(gateway.url, 'admin', '/console/');
      const { page } = visit;
      for (const path of paths) {
        await open(page, `${gateway.url}/console${path}`);
        const levels = await page.evaluate<number[]>(
          "[...document.querySelectorAll('h1,h2,h3,h4')].filter((each) => each.checkVisibility()).map((each) => Number(each.tagName[1]))",
        );
        expect(levels.filter((level) => level === 1).length, path).toBe(1);
        expect(
          levels.filter((level, index) => level > (levels[index - 1] ?? 0) + 1),
          path,
        ).toEqual([]);
        expect(await findBarriers(page), path).toEqual([]);
        // What fades in is measured when it is there.
        await page.addStyleTag({ content: '* { transition: none !important; }' });
        const unseen: string[] = [];
        for (let count = 0; count < 60; count++) {
          await page.keyboard.press('Tab');
          const control = await page.evaluate<Focused | null>(focused);
          if (control === null) break;
          if (!control.isSeen) unseen.push(control.name);
        }
        expect(unseen, path).toEqual([]);
      }
      expect(visit.faults).toEqual([]);
    },
    allPagesMs,
  );

  it('gives the focus back to the control that opened a drawer, a dialog or a menu', async () => {
    await using visit = await browser.visit(gateway.url, 'admin', '/console/models');
    const { page } = visit;
    const hasFocus = (name: string): Promise<void> =>
      until(
        page,
        `(document.activeElement?.getAttribute('aria-label') ?? document.activeElement?.textContent) === ${JSON.stringify(name)}`,
      );
    await page.getByRole('button', { name: 'demo/echo', exact: true }).press('Enter');
    await page.getByRole('dialog').getByLabel('Description', { exact: true }).waitFor();
    await page.keyboard.press('Escape');
    await hasFocus('demo/echo');
    await page.goto(`${gateway.url}/console/keys`);
    await page.getByRole('button', { name: 'Make a key' }).first().press('Enter');
    await page.getByLabel('Purpose').waitFor();
    await page.keyboard.press('Escape');
    await hasFocus('Make a key');
    const account = page.getByRole('button', { name: 'Account: admin' });
    await account.press('Enter');
    await page.getByRole('button', { name: 'Sign out' }).waitFor();
    await page.keyboard.press('Escape');
    await hasFocus('Account: admin');
    // A link leaves with its page; the content of the next one takes the focus.
    await page.goto(`${gateway.url}/console/`);
    await page.getByRole('link', { name: 'Offer a model: open' }).press('Enter');
    await page.getByRole('button', { name: 'Add model' }).waitFor();
    await until(page, "document.activeElement?.id === 'content'");
    expect(visit.faults).toEqual([]);
  });

  it('moves the focus to the first field that is missing', async () => {
    await using visit = await browser.visit(gateway.url, 'admin', '/console/skills?add=yes');
    const { page } = visit;
    await page.getByLabel('Name', { exact: true }).fill('unfinished');
    await page.getByRole('button', { name: 'Create' }).press('Enter');
    await until(page, "document.activeElement?.getAttribute('aria-label') === 'Description'");
    expect((await gateway.as('admin', 'GET', '/api/skills/unfinished')).status).toBe(404);
  });

  it(
    'offers nothing that writes while an administrator views as another person, and asks nothing that is refused',
    async () => {
      const make = async (path: string, body: object): Promise<void> => {
        const { status, text } = await gateway.as('admin', 'POST', path, body);
        expect(status, text).toBeLessThan(300);
      };
      await make('/api/providers', { name: 'seen', spec: { kind: 'openai-compatible', options: { base_url: `${gateway.url}/v1` } } });
      await make('/api/models', { name: 'seen', spec: { deployments: [{ provider: 'demo', model: 'echo' }] } });
      await make('/api/grants', { spec: { subject_type: 'role', subject: 'user', capability: 'model/seen', action: 'use' } });
      const cases = [{ name: 'one', input: { text: 'x' }, expect: { equals: 'x' } }];
      await make('/api/skills', {
        name: 'seen',
        spec: { description: 'Greets.', model: 'seen', options: { instructions: 'Greet {{text}}' }, cases },
      });
      await make('/api/skills/seen/publish', { version: '1.0.0' });
      await make('/api/skills/seen/publish', { version: '1.1.0' });
      await make('/api/keys', { title: 'seen' });
      const limit = { subject_type: 'user', subject: '*', capability: 'model/*', requests_per_minute: 600 };
      await make('/api/limits', { name: 'seen', spec: limit });
      await using visit = await browser.visit(gateway.url, 'admin', '/console/access?tab=view-as&as=admin');
      const { page } = visit;
      const underWay = new Set<object>();
      const [own, writes, refused]: [string[], string[], string[]] = [[], [], []];
      await page.getByRole('button', { name: 'See the console as this person' }).click();
      await page.getByRole('alert').filter({ hasText: 'You see the console as' }).waitFor();
      page.on('request', (request) => {
        const { pathname } = new URL(request.url());
        if (!/^\/(api|v1|mcp|auth)\b/.test(pathname)) return;
        underWay.add(request);
        if (request.method() !== 'GET') writes.push(`${request.method()} ${pathname}`);
        if (request.headers()['x-pailou-view-as'] === undefined && !pathname.startsWith('/auth/')) own.push(pathname);
      });
      page.on('requestfinished', (request) => underWay.delete(request));
      page.on('requestfailed', (request) => underWay.delete(request));
      page.on('response', (response) => {
        // A click may open its drawer after the next page was asked for, which then finds no such row (404).
        if (response.status() === 401 || response.status() === 403) refused.push(`${response.status()} ${response.url()}`);
      });
      const settled = async (): Promise<void> => {
        await page.evaluate('new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)))');
        await eventually(
          async () => underWay.size,
          (count) => count === 0,
        );
        await until(page, "[...document.querySelectorAll('.ant-skeleton')].every((each) => !each.checkVisibility())");
      };
      let used = 0;
      for (const path of [...paths, ...more]) {
        await page.evaluate(`history.pushState(null, '', ${JSON.stringify(`/console${path}`)})`);
        await settled();
        // The second time those of the dialogs and drawers that the first time opened.
        for (const _time of [1, 2]) {
          used += (await page.evaluate<string[]>(useAll)).length;
          await settled();
        }
        expect(await page.locator('a[download]').count(), path).toBe(0);
        expect({ path, own, writes, refused }).toEqual({ path, own: [], writes: [], refused: [] });
      }
      // The pages were shown, with what can be opened and read.
      expect(used).toBeGreaterThan(100);
      expect(visit.faults).toEqual([]);
    },
    allPagesMs,
  );
});
