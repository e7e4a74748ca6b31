/** Home and usage in a real browser: the numbers are those of the API, and the checklist ticks itself. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, startGateway, type TestGateway } from '../whole/gateway.ts';
import { startVendor, type Vendor } from '../whole/vendor.ts';
import { buildConsole } from './built-console.ts';
import { chromiumPath, findBarriers, findLatinWords, startChromium, type TestBrowser } from './chromium.ts';

const calls = 12;

describe.skipIf(chromiumPath === undefined)('home and usage in Chromium', () => {
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

  it('leads a fresh installation to its first call, and ticks what is done', async () => {
    await using visit = await browser.visit(gateway.url, 'admin', '/console/');
    const { page } = visit;
    await page.getByRole('link', { name: 'Connect a vendor: open' }).waitFor();
    await page.getByRole('link', { name: 'First call: open' }).waitFor();
    await gateway.as('admin', 'POST', '/api/providers', {
      name: 'mock',
      spec: { kind: 'openai-compatible', options: { base_url: vendor.url } },
    });
    const price = { currency: 'CNY', input: '2', output: '8' };
    await gateway.as('admin', 'POST', '/api/models', {
      name: 'priced',
      spec: { deployments: [{ provider: 'mock', model: 'any', price }] },
    });
    await page.reload();
    await page.getByRole('link', { name: 'Connect a vendor: done' }).waitFor();
    await page.getByRole('link', { name: 'Offer a model: done' }).waitFor();
    // The next step opens at the model that it is about.
    expect(await page.getByRole('link', { name: 'Grant it to a role: open' }).getAttribute('href')).toMatch(
      /models\?open=priced&tab=access$/,
    );
    await page.getByRole('link', { name: 'Make a key: open' }).press('Enter');
    await page.getByLabel('Purpose').waitFor();
    expect(visit.faults).toEqual([]);
  });

  it('shows the sums of the API: calls, tokens and money', async () => {
    for (let count = 0; count < calls; count++) {
      const body = { model: 'priced', messages: [{ role: 'user', content: 'hi' }] };
      expect((await gateway.as('admin', 'POST', '/v1/chat/completions', body)).status).toBe(200);
    }
    const { json } = await eventually(
      () => gateway.as('admin', 'GET', '/api/reports/series?by=model'),
      (answer) => answer.json.total.calls >= calls,
    );
    // The vendor counts 5 tokens in and 2 out each time.
    expect(json.total).toMatchObject({ calls, input_tokens: 5 * calls, output_tokens: 2 * calls });
    await using visit = await browser.visit(gateway.url, 'admin', '/console/usage?period=day');
    const { page } = visit;
    const row = page.getByRole('row').filter({ hasText: 'priced' });
    await row.waitFor();
    const cells = await row.getByRole('cell').allTextContents();
    expect(cells.slice(1, 6)).toEqual([String(calls), String(calls), '0', String(5 * calls), String(2 * calls)]);
    expect(cells[6]).toMatch(/^CN¥0\.00/);
    expect(visit.requests.filter((request) => request.includes('/api/reports/series')).length).toBe(1);
    expect(visit.requests.filter((request) => request.includes('/api/runs'))).toEqual([]);
    expect(visit.faults).toEqual([]);
  });

  it('groups by team, where a call counts for each team of its caller and once in the total', async () => {
    for (const name of ['core', 'night'])
      expect((await gateway.as('admin', 'POST', '/api/teams', { name, spec: { role: 'developer' } })).status).toBe(201);
    for (let count = 0; count < 3; count++)
      await gateway.as('developer', 'POST', '/v1/chat/completions', { model: 'demo/echo', messages: [{ role: 'user', content: 'hi' }] });
    await eventually(
      () => gateway.as('admin', 'GET', '/api/reports/series?by=team'),
      (answer) => answer.json.total.calls === 6,
    );
    await using visit = await browser.visit(gateway.url, 'admin', '/console/usage?period=day');
    const { page } = visit;
    await page.getByRole('combobox', { name: 'Group by' }).press('Enter');
    await page.getByTitle('Team', { exact: true }).click();
    await page.locator('.ant-select-dropdown').waitFor({ state: 'hidden' });
    for (const name of ['core', 'night']) {
      const row = page.getByRole('row').filter({ hasText: name });
      await row.waitFor();
      expect((await row.getByRole('cell').allTextContents()).slice(1, 3)).toEqual(['3', '3']);
    }
    const cards = page.locator('.numbers');
    await cards.getByText(String(calls + 3), { exact: true }).waitFor();
    expect(new URL(page.url()).search).toContain('by=team');
    const file = (await page.getByRole('link', { name: 'CSV by day' }).getAttribute('href')) ?? '';
    expect((await gateway.as('admin', 'GET', file)).text).toMatch(/,core,/);
    expect(await findBarriers(page)).toEqual([]);
    expect(visit.faults).toEqual([]);
    await using other = await browser.visit(gateway.url, 'user', '/console/usage?period=day&by=team');
    await other.page.getByText('No calls of members of a team in this period').waitFor();
    expect(other.faults).toEqual([]);
  });

  it('shows budgets as bars beside usage and limits: spent, left and until when', async () => {
    const spec = { subject_type: 'tenant', spend: { currency: 'CNY', per_month: '0.001' } };
    expect((await gateway.as('admin', 'POST', '/api/limits', { name: 'company', spec })).status).toBe(201);
    const { spent } = (await gateway.as('admin', 'GET', '/api/reports/budgets')).json.data[0];
    expect(spent).toBeGreaterThan(0);
    await using visit = await browser.visit(gateway.url, 'admin', '/console/usage', { theme: 'dark', width: 390 });
    const { page } = visit;
    const budgets = page.getByRole('region', { name: 'Budgets now' });
    await budgets.getByText(`CN¥${spent} of CN¥0.001`).waitFor();
    const share = await budgets.getByRole('progressbar', { name: 'company · this month' }).getAttribute('aria-valuenow');
    expect(Number(share)).toBe(Math.min(100, Math.round((spent / 0.001) * 100)));
    await budgets.getByText('starts again').waitFor();
    expect(await findBarriers(page)).toEqual([]);
    await page.goto(`${gateway.url}/console/limits`);
    await budgets.getByText('company').waitFor();
    expect(visit.faults).toEqual([]);
  });

  it('says when a session has ended, and leads back to the same page', async () => {
    await using visit = await browser.visit(gateway.url, 'user', '/console/usage?period=month');
    const { page } = visit;
    await page.getByText('No calls in this period').waitFor();
    await page.context().clearCookies({ name: 'pailou' });
    await page.getByText('7 days').click();
    await page.getByText('Your session has ended').waitFor();
    await page.getByRole('link', { name: 'Sign in again' }).press('Enter');
    // The text of the old page lies under the note.
    await page.getByText('Your session has ended').waitFor({ state: 'detached' });
    const chooser = page.locator('button[value="user"]');
    await chooser.or(page.getByText('No calls in this period')).first().waitFor();
    if (await chooser.isVisible()) await chooser.click();
    await page.getByText('No calls in this period').waitFor();
    expect(new URL(page.url()).pathname + new URL(page.url()).search).toBe('/console/usage?period=week');
  });

  it.each(['/console/', '/console/usage'])('%s is Chinese to the last word, without barriers, on a phone too', async (path) => {
    for (const [theme, width] of [
      ['light', 1_280],
      ['dark', 390],
    ] as const) {
      await using visit = await browser.visit(gateway.url, 'admin', path, { language: 'zh', theme, width });
      const { page } = visit;
      await page.getByText('输入 Token').first().waitFor();
      expect(await findLatinWords(page)).toEqual([]);
      expect(await findBarriers(page)).toEqual([]);
      expect(await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')).toBe(0);
    }
  });
});
