/** The page of providers in a real browser, by keyboard; the results are read from the API. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, startGateway, type TestGateway } from '../whole/gateway.ts';
import { startVendor, type Vendor } from '../whole/vendor.ts';
import { buildConsole } from './built-console.ts';
import { chromiumPath, findBarriers, findLatinWords, startChromium, type TestBrowser } from './chromium.ts';

describe.skipIf(chromiumPath === undefined)('providers in Chromium', () => {
  let gateway: TestGateway;
  let vendor: Vendor;
  let browser: TestBrowser;
  beforeAll(async () => {
    buildConsole();
    [gateway, vendor, browser] = await Promise.all([startGateway(), startVendor(), startChromium()]);
  });
  afterAll(async () => {
    await browser[Symbol.asyncDispose]();
    await gateway[Symbol.asyncDispose]();
    await vendor[Symbol.asyncDispose]();
  });

  it('adds a provider by keyboard alone, with its secret kept secret', async () => {
    await using visit = await browser.visit(gateway.url, 'admin', '/console/providers', { theme: 'dark' });
    const { page } = visit;
    await page.getByRole('button', { name: 'Add provider' }).focus();
    await page.keyboard.press('Enter');
    await expect
      .poll(() => page.getByLabel('Name', { exact: true }).evaluate((field) => field === field.ownerDocument.activeElement))
      .toBe(true);
    await page.keyboard.type('keyboard');
    const options = { base_url: vendor.url, api_key: 'sk-of-the-test' };
    await page.getByLabel('Base URL', { exact: true }).focus();
    await page.keyboard.type(options.base_url);
    await page.getByLabel('API key', { exact: true }).focus();
    await page.keyboard.type(options.api_key);
    expect(await findBarriers(page)).toEqual([]);
    await page.keyboard.press('Enter');
    const saved = await eventually(
      () => gateway.as('admin', 'GET', '/api/providers/keyboard'),
      ({ status }) => status === 200,
    );
    expect(saved.json.spec).toMatchObject({ kind: 'openai-compatible', options: { base_url: vendor.url, api_key: '***' } });
    await page.getByRole('button', { name: 'keyboard' }).waitFor();

    await page.goto(`${gateway.url}/console/providers?open=keyboard`);
    await page.getByLabel('API key', { exact: true }).waitFor();
    expect(await page.content()).not.toContain(options.api_key);
    expect(visit.faults).toEqual([]);
  });

  it('shows two people who save the same provider what differs, but no secret that was typed', async () => {
    const spec = { kind: 'openai-compatible', options: { base_url: vendor.url, api_key: 'sk-first' } };
    await gateway.as('admin', 'POST', '/api/providers', { name: 'contested', spec });
    await using visit = await browser.visit(gateway.url, 'admin', '/console/providers?open=contested');
    const { page } = visit;
    await page.getByLabel('API key', { exact: true }).fill('sk-typed-by-me');
    await gateway.as('admin', 'PUT', '/api/providers/contested', {
      spec: { ...spec, options: { ...spec.options, api_key: 'sk-of-a-colleague' } },
    });
    await page.getByRole('button', { name: 'Save', exact: true }).press('Enter');
    await page.getByText('The row was changed by another person while you edited it').waitFor();
    await page.getByRole('cell', { name: 'options.api_key' }).waitFor();
    expect(await page.getByRole('dialog').textContent()).not.toMatch(/sk-(?:first|typed|of)/);
    expect(visit.faults).toEqual([]);
  });

  it('tests an unsaved draft through the real path and saves nothing', async () => {
    await using visit = await browser.visit(gateway.url, 'admin', '/console/providers?add=yes');
    const { page } = visit;
    const before = await gateway.as('admin', 'GET', '/api/providers');
    vendor.behave((_request, response) => {
      response
        .writeHead(401, { 'content-type': 'application/json' })
        .end(JSON.stringify({ error: { message: 'Incorrect API key provided' } }));
    });
    await page.getByLabel('Base URL', { exact: true }).fill(vendor.url);
    await page.getByLabel('Model of the vendor').fill('any');
    await page.keyboard.press('Enter');
    await page.getByText('The vendor refused the key').waitFor();
    await page.getByText('Incorrect API key provided').waitFor();
    expect((await gateway.as('admin', 'GET', '/api/providers')).json).toEqual(before.json);
    expect(visit.faults).toEqual([]);
  });

  it('shows viewers no button that would be refused, and nothing but the public part', async () => {
    await using visit = await browser.visit(gateway.url, 'viewer', '/console/providers');
    const { page } = visit;
    await page.getByRole('heading', { name: 'Providers' }).waitFor();
    expect(await page.getByRole('button', { name: 'Add provider' }).count()).toBe(0);
    expect(await page.content()).not.toContain(vendor.url);
  });

  it('is Chinese to the last word, in both themes and on a phone', async () => {
    for (const theme of ['light', 'dark'] as const) {
      await using visit = await browser.visit(gateway.url, 'admin', '/console/providers?add=yes', { language: 'zh', theme, width: 390 });
      const { page } = visit;
      await page.getByText('更多选项').first().click();
      expect(await findLatinWords(page)).toEqual([]);
      expect(await findBarriers(page)).toEqual([]);
      const overflow = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
      expect(overflow).toBe(0);
    }
  });
});
