/** Routing and health in a real browser, by keyboard; the results are compared with the API. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, startGateway, type TestGateway } from '../whole/gateway.ts';
import { buildConsole } from './built-console.ts';
import { chromiumPath, findBarriers, findLatinWords, startChromium, type TestBrowser } from './chromium.ts';

describe.skipIf(chromiumPath === undefined)('routing and health in Chromium', () => {
  let gateway: TestGateway;
  let browser: TestBrowser;
  beforeAll(async () => {
    buildConsole();
    [gateway, browser] = await Promise.all([startGateway(), startChromium()]);
    const spec = {
      deployments: [
        { provider: 'demo', model: 'echo', weight: 3 },
        { provider: 'demo', model: 'slow', weight: 1 },
        { provider: 'demo', model: 'tools', tier: 1 },
      ],
      fallbacks: [{ on: ['error'], model: 'demo/echo' }],
    };
    const made = await gateway.as('admin', 'POST', '/api/models', { name: 'chain', spec });
    expect(made.status, made.text).toBe(201);
    await gateway.as('admin', 'POST', '/v1/chat/completions', { model: 'chain', messages: [{ role: 'user', content: 'Hello' }] });
  });
  afterAll(async () => {
    await browser[Symbol.asyncDispose]();
    await gateway[Symbol.asyncDispose]();
  });

  it('shows the chain of a model and the order that a dry run gives, by keyboard', async () => {
    await using visit = await browser.visit(gateway.url, 'admin', '/console/routing', { theme: 'dark' });
    const { page } = visit;
    await page.getByRole('combobox', { name: 'Model' }).fill('chain');
    await page.keyboard.press('Escape');
    await page.getByLabel('Request (JSON, optional)').fill('{"messages": [{"role": "user", "content": "Hello"}]}');
    await page.getByRole('button', { name: 'Show the way' }).press('Enter');
    const chain = page.getByRole('list', { name: 'Chain' });
    await chain.getByText('weight 3 (75%)').waitFor();
    await chain.getByText('Tier 1').waitFor();
    const { json } = await gateway.as('admin', 'POST', '/api/route/explain', { model: 'chain' });
    const shown = await page.getByRole('region', { name: 'In this order' }).locator('code').allTextContents();
    expect(shown.toSorted()).toEqual(json.candidates.map(({ deployment }: { deployment: string }) => deployment).toSorted());
    expect(shown.at(-1)).toBe('chain#demo/tools');
    expect(await findBarriers(page)).toEqual([]);
    expect(visit.faults).toEqual([]);
  });

  it('shows the deployments that were called, with their last day, and the revision of each node', async () => {
    const { json } = await eventually(
      () => gateway.as('admin', 'GET', '/api/reports/series?step=hour&by=deployment'),
      (answer) => answer.text.includes('chain#'),
    );
    const { of: called } = json.series.find(
      ({ of }: { of: { deployment: string | null } }) => of.deployment?.startsWith('chain#') === true,
    );
    // The demo model flaky fails, and another deployment answers.
    const spec = {
      deployments: [
        { provider: 'demo', model: 'flaky' },
        { provider: 'demo', model: 'echo', tier: 1 },
      ],
      retry: { same: 0 },
    };
    await gateway.as('admin', 'POST', '/api/models', { name: 'failover', spec });
    const messages = [{ role: 'user', content: 'Hello' }];
    const answered = await gateway.as('admin', 'POST', '/v1/chat/completions', { model: 'failover', messages });
    expect([answered.status, answered.headers.get('x-pailou-deployment')]).toEqual([200, 'failover#demo/echo']);
    await eventually(
      () => gateway.as('admin', 'GET', '/api/usage?by=deployment'),
      ({ text }) => text.includes('failover#demo/flaky'),
    );
    await using visit = await browser.visit(gateway.url, 'admin', '/console/health');
    const { page } = visit;
    await page.getByRole('row').filter({ hasText: 'failover#demo/flaky' }).getByText('1 of 1', { exact: true }).waitFor();
    await page.getByRole('row').filter({ hasText: 'failover#demo/echo' }).getByText('0 of 1', { exact: true }).waitFor();
    await page.getByText('Each cell is an hour').waitFor();
    const row = page.getByRole('row').filter({ hasText: called.deployment });
    await row.getByText('closed: serves').waitFor();
    await row.getByRole('list', { name: 'Last 24 hours: 1 call answered, 0 attempts failed' }).waitFor();
    // No call ended at the deployment that failed; its hour shows the attempt.
    const failing = page.getByRole('row').filter({ hasText: 'failover#demo/flaky' });
    await failing.getByRole('list', { name: 'Last 24 hours: 0 calls answered, 1 attempt failed' }).waitFor();
    expect(await failing.locator('.hour-bad').count()).toBe(1);
    const { revision } = (await gateway.as('admin', 'GET', '/api/config/revision')).json;
    await page.getByRole('region', { name: 'Nodes' }).getByText(String(revision), { exact: true }).waitFor();
    expect(await findBarriers(page)).toEqual([]);
    expect(visit.faults).toEqual([]);
  });

  it('shows viewers the state of what they may view, and asks for nothing that they may not see', async () => {
    const seen = (await gateway.as('viewer', 'GET', '/api/health')).json.deployments as { deployment: string }[];
    expect(seen.some(({ deployment }) => deployment.startsWith('chain#'))).toBe(true);
    // A person without a grant does not learn that the deployment exists.
    const hidden = (await gateway.as('user', 'GET', '/api/health')).json.deployments as { deployment: string }[];
    expect(hidden.filter(({ deployment }) => deployment.startsWith('chain#'))).toEqual([]);
    await using visit = await browser.visit(gateway.url, 'viewer', '/console/health');
    const { page } = visit;
    await page.getByRole('row').filter({ hasText: 'chain#' }).getByText('closed: serves').first().waitFor();
    expect(visit.requests.filter((each) => each.includes('/api/reports/'))).toEqual([]);
    expect(visit.faults).toEqual([]);
  });

  it('is Chinese to the last word, in both themes and on a phone', async () => {
    for (const [theme, path, ready] of [
      ['light', 'routing?model=chain', '.chain'],
      ['dark', 'health', '.hour-strip'],
    ] as const) {
      await using visit = await browser.visit(gateway.url, 'admin', `/console/${path}`, { language: 'zh', theme, width: 390 });
      const { page } = visit;
      await page.locator(ready).first().waitFor();
      expect(await findLatinWords(page), path).toEqual([]);
      expect(await findBarriers(page), path).toEqual([]);
      const overflow = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
      expect(overflow, path).toBe(0);
    }
  });
});
