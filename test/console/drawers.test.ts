/** The drawers of all pages on a phone: what they hold is read from top to bottom, and nothing scrolls sideways. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { listFiles, projectRoot } from '../architecture/source-tree.ts';
import { eventually, startGateway, type TestGateway } from '../whole/gateway.ts';
import { buildConsole } from './built-console.ts';
import { chromiumPath, findBarriers, findLatinWords, startChromium, type TestBrowser } from './chromium.ts';

interface View {
  readonly path: string;
  /** What opens the drawer where the address does not. */
  readonly opens?: string;
  /** The file that draws it. */
  readonly file: string;
}

const firstRow = '.ant-table-row .row-name';
const resource = 'components/resource-drawer.tsx';
const views: readonly View[] = [
  ...['providers', 'models', 'skills', 'mcp', 'limits'].map((page) => ({ path: `/${page}?add=yes`, file: resource })),
  { path: '/access?add=yes', file: resource },
  { path: '/access?tab=teams&add=yes', file: resource },
  { path: '/access?tab=accounts&add=yes', file: resource },
  { path: '/providers?open=seen', file: resource },
  { path: '/models?open=seen', file: resource },
  { path: '/models?open=seen&tab=access', file: resource },
  { path: '/skills?open=seen', file: resource },
  { path: '/skills?open=seen&tab=try', file: resource },
  { path: '/skills?open=seen&tab=cases', file: resource },
  { path: '/skills?open=seen&tab=versions', file: resource },
  { path: '/mcp?open=demo', file: resource },
  { path: '/mcp?open=demo&tab=items', file: resource },
  { path: '/mcp?open=demo&tab=inspector', file: resource },
  { path: '/mcp?open=demo&tab=state', file: resource },
  { path: '/limits?open=seen', file: resource },
  { path: '/access?tab=teams&open=seen', file: resource },
  { path: '/access?tab=teams&open=seen&part=members', file: resource },
  { path: '/access?tab=teams&open=seen&part=keys', file: resource },
  { path: '/access?tab=accounts&open=seen', file: resource },
  { path: '/calls', opens: firstRow, file: 'pages/calls/call-drawer.tsx' },
  { path: '/audit?act=update', opens: firstRow, file: 'pages/audit/entry-drawer.tsx' },
  { path: '/configuration?add=import', file: 'pages/configuration/import-drawer.tsx' },
  { path: '/configuration', opens: firstRow, file: 'pages/configuration/revision-drawer.tsx' },
  { path: '/keys?add=yes', file: 'pages/keys/key-creation.tsx' },
  { path: '/playground', opens: 'button:has-text("工具与参数")', file: 'pages/playground/page.tsx' },
];

/** What scrolls sideways in the open drawer, except code, whose lines stay lines. */
const sideways = `[...document.querySelectorAll('.ant-drawer *')]
  .filter((each) => each.checkVisibility() && each.scrollWidth > each.clientWidth + 1 && each.closest('pre, .cm-editor') === null)
  .filter((each) => /auto|scroll/.test(getComputedStyle(each).overflowX) || each.matches('[class*=virtual-holder], .ant-table-content'))
  .map((each) => each.tagName + '.' + each.className + ' ' + each.scrollWidth + ' > ' + each.clientWidth)`;

it('all drawers of the console are known to this test', () => {
  const files = listFiles('console/src').filter((file) => file.endsWith('.tsx'));
  const drawing = files.filter((file) => readFileSync(join(projectRoot, file), 'utf8').includes('<Drawer'));
  // The menu of a phone holds links alone.
  const expected = [...new Set([...views.map(({ file }) => file), 'app/layout.tsx'])];
  expect(drawing.map((file) => file.replace('console/src/', ''))).toEqual(expected.toSorted());
});

describe.skipIf(chromiumPath === undefined)('the drawers on a phone', () => {
  let gateway: TestGateway;
  let browser: TestBrowser;

  const make = async (path: string, body: object, method: 'POST' | 'PATCH' = 'POST'): Promise<void> => {
    const { status, text } = await gateway.as('admin', method, path, body);
    expect(status, text).toBeLessThan(300);
  };

  beforeAll(async () => {
    buildConsole();
    [gateway, browser] = await Promise.all([startGateway(), startChromium()]);
    const long = 'a-name-that-is-as-long-as-names-of-models-are-in-big-companies';
    await make('/api/providers', { name: 'seen', spec: { kind: 'openai-compatible', options: { base_url: `${gateway.url}/v1` } } });
    await make('/api/models', { name: 'seen', spec: { deployments: [{ provider: 'demo', model: 'echo' }] } });
    await make('/api/grants', { spec: { subject_type: 'role', subject: 'user', capability: 'model/seen', action: 'use' } });
    const cases = [{ name: long, input: { text: 'x'.repeat(60) }, expect: { equals: 'x'.repeat(60) } }];
    const spec = { description: 'Greets.', model: 'seen', options: { instructions: 'Greet {{text}}' }, cases };
    await make('/api/skills', { name: 'seen', spec });
    await make('/api/skills/seen/publish', { version: '1.0.0' });
    await make('/api/skills/seen/publish', { version: '1.1.0' });
    await make('/api/limits', { name: 'seen', spec: { subject_type: 'user', subject: '*', requests_per_minute: 600 } });
    await make('/api/teams', { name: 'seen', spec: { role: 'developer' } });
    await make('/api/service-accounts', { name: 'seen', spec: { team: 'seen' } });
    await make('/api/keys', { title: long, service: 'seen' });
    await make('/api/models/seen', { spec: { description: `${long}/${long}` } }, 'PATCH');
    await make('/v1/chat/completions', { model: 'seen', messages: [{ role: 'user', content: 'Hello' }] });
    await gateway.as('developer', 'GET', '/api/me');
    await eventually(
      () => gateway.as('admin', 'GET', '/api/runs'),
      ({ json }) => json.data.length > 0,
    );
  }, 300_000);
  afterAll(async () => {
    await browser[Symbol.asyncDispose]();
    await gateway[Symbol.asyncDispose]();
  });

  it('scroll in one direction alone, in Chinese without a word of English and without barriers', { timeout: 900_000 }, async () => {
    await using visit = await browser.visit(gateway.url, 'admin', '/console/', { language: 'zh', width: 390 });
    const { page } = visit;
    const isLoaded = "[...document.querySelectorAll('.ant-skeleton')].every((each) => !each.checkVisibility())";
    const loaded = (): Promise<boolean> =>
      eventually(
        () => page.evaluate<boolean>(isLoaded),
        (holds) => holds,
      );
    const found: string[] = [];
    for (const { path, opens } of views) {
      await page.goto(`${gateway.url}/console${path}`);
      if (opens !== undefined) await page.locator(opens).first().click();
      await page.locator('.ant-drawer-body').waitFor();
      await page.waitForLoadState('networkidle', { timeout: 2_000 }).catch(() => undefined);
      await loaded();
      for (const each of await page.evaluate<string[]>(sideways)) found.push(`${path}: ${each}`);
      for (const each of await findLatinWords(page)) found.push(`${path}: ${each}`);
      for (const each of await findBarriers(page)) found.push(`${path}: ${each}`);
    }
    expect(found).toEqual([]);
    expect(visit.faults).toEqual([]);
  });
});
