/** The playground in a real browser, by keyboard: streams, tools with approvals, two models, and answers that must not act. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, startGateway, type TestGateway } from '../whole/gateway.ts';
import { answerOk, startVendor, type Vendor } from '../whole/vendor.ts';
import { buildConsole } from './built-console.ts';
import { chromiumPath, findBarriers, findLatinWords, startChromium, type TestBrowser } from './chromium.ts';

describe.skipIf(chromiumPath === undefined)('the playground in Chromium', () => {
  let gateway: TestGateway;
  let vendor: Vendor;
  let browser: TestBrowser;
  beforeAll(async () => {
    buildConsole();
    [gateway, vendor, browser] = await Promise.all([startGateway(), startVendor(), startChromium()]);
    const options = { base_url: vendor.url };
    await gateway.as('admin', 'POST', '/api/providers', { name: 'mock', spec: { kind: 'openai-compatible', options } });
    await gateway.as('admin', 'POST', '/api/models', { name: 'hostile', spec: { deployments: [{ provider: 'mock', model: 'any' }] } });
    // The tools of the demo server are listed in the background.
    await eventually(
      () => gateway.as('admin', 'GET', '/api/mcp-servers/demo/items'),
      ({ text }) => text.includes('calculate'),
    );
  });
  afterAll(async () => {
    await browser[Symbol.asyncDispose]();
    await gateway[Symbol.asyncDispose]();
    await vendor[Symbol.asyncDispose]();
  });

  it('streams an answer that links to its trace, and two models answer side by side', async () => {
    await using visit = await browser.visit(gateway.url, 'user', '/console/playground?model=demo/echo&compare=demo/slow');
    const { page } = visit;
    const question = page.getByLabel('Your question');
    await question.focus();
    await page.keyboard.type('Who are you?');
    await page.keyboard.press('Enter');
    const [first, second] = [page.getByRole('log').first(), page.getByRole('log').nth(1)];
    await first.getByText('This is a demo, not an AI.').waitFor();
    await second.getByText('not an AI').waitFor();
    const href = await first.getByRole('link', { name: 'Trace' }).getAttribute('href');
    const id = new URL(href ?? '', gateway.url).searchParams.get('open');
    const run = await eventually(
      () => gateway.as('user', 'GET', `/api/runs/${id}`),
      ({ status }) => status === 200,
    );
    expect(run.json).toMatchObject({ capability: 'model/demo/echo', username: 'user', outcome: 'complete', streamed: true });
    expect(visit.faults).toEqual([]);
  });

  it('asks before a tool runs: denied it does not run, approved it runs once', async () => {
    await using visit = await browser.visit(gateway.url, 'admin', '/console/playground?model=demo/tools');
    const { page } = visit;
    await page.getByRole('button', { name: 'Tools and settings' }).press('Enter');
    await page.getByRole('combobox', { name: 'Tools' }).focus();
    await page.keyboard.type('mcp/demo');
    // The list is read from the gateway.
    await page.locator('.ant-select-item-option-active', { hasText: 'mcp/demo' }).waitFor();
    await page.keyboard.press('Enter');
    await page.keyboard.press('Escape');
    await page.getByRole('switch', { name: 'Ask me before each tool call' }).press('Space');
    await page.getByRole('dialog').getByRole('button', { name: 'Close' }).press('Enter');
    const ask = async (): Promise<void> => {
      await page.getByLabel('Your question').fill('What is 6 * 7?');
      await page.getByLabel('Your question').press('Enter');
      await page.getByText('waits for your approval').waitFor();
    };
    const toolRuns = async (): Promise<number> =>
      (await gateway.as('admin', 'GET', '/api/runs?limit=100&capability=mcp/demo/calculate')).json.data.filter(
        ({ outcome }: { outcome: string }) => outcome === 'complete',
      ).length;
    await ask();
    await page.getByRole('button', { name: 'Deny' }).press('Enter');
    await page.getByText('denied by you').waitFor();
    await page.getByRole('button', { name: 'Send' }).waitFor();
    expect(await page.getByRole('log').textContent()).not.toContain('= 42');
    await page.getByRole('button', { name: 'Clear' }).press('Enter');
    await ask();
    await page.getByRole('button', { name: 'Approve' }).press('Enter');
    await page.getByText('= 42').waitFor();
    expect(await eventually(toolRuns, (count) => count > 0)).toBe(1);
    expect(visit.faults).toEqual([]);
  });

  it('shows HTML, pictures and links of an answer as text: nothing runs, nothing is fetched', async () => {
    const answer = [
      '<img src="https://evil.example/x.png" onerror="document.title=\'run\'"><script>document.title="run"</script>',
      '![pixel](https://evil.example/pixel.png) [click](https://evil.example/?q=secret) [run](javascript:alert(1))',
      '| a | b |\n|---|---|\n| `x` | **y** |',
    ].join('\n\n');
    vendor.behave((request, response) => answerOk(request, response, answer));
    await using visit = await browser.visit(gateway.url, 'admin', '/console/playground?model=hostile');
    const { page } = visit;
    await page.getByLabel('Your question').fill('hello');
    await page.getByLabel('Your question').press('Enter');
    await page.getByRole('link', { name: 'Trace' }).waitFor();
    const log = page.getByRole('log');
    await log.getByRole('cell', { name: 'y' }).waitFor();
    expect(await log.textContent()).toContain('<script>document.title="run"</script>');
    expect(await log.locator('img, script, iframe').count()).toBe(0);
    expect(await log.getByRole('link').allTextContents()).toEqual(['Trace']);
    expect(await page.title()).toBe('Playground · Pailou');
    expect(visit.faults).toEqual([]);
  });

  it('says what failed, with the request id, and keeps the question', async () => {
    vendor.behave((_request, response) => {
      response.writeHead(401, { 'content-type': 'application/json' }).end('{"error":{"message":"bad key"}}');
    });
    await using visit = await browser.visit(gateway.url, 'admin', '/console/playground?model=hostile');
    const { page } = visit;
    await page.getByLabel('Your question').fill('hello');
    await page.getByLabel('Your question').press('Enter');
    const alert = page.getByRole('log').getByRole('alert');
    await alert.getByText('The vendor refused the key').waitFor();
    expect(await alert.textContent()).toMatch(/Request id: [0-9a-f-]{36}/);
    expect(await page.getByRole('log').textContent()).toContain('hello');
  });

  it('gives the code of the same call', async () => {
    await using visit = await browser.visit(gateway.url, 'user', '/console/playground?model=demo/echo');
    const { page } = visit;
    await page.getByRole('button', { name: 'As code' }).press('Enter');
    const dialog = page.getByRole('dialog');
    await dialog.getByText(`curl -N ${gateway.url}/v1/chat/completions`).waitFor();
    await dialog.getByRole('tab', { name: 'Python' }).press('Enter');
    expect(await dialog.getByText('from openai import OpenAI').textContent()).toContain(`base_url="${gateway.url}/v1"`);
  });

  it('is Chinese to the last word, without barriers, on a phone too', async () => {
    for (const [theme, width] of [
      ['light', 1_280],
      ['dark', 390],
    ] as const) {
      await using visit = await browser.visit(gateway.url, 'admin', '/console/playground?model=demo/echo', {
        language: 'zh',
        theme,
        width,
      });
      const { page } = visit;
      await page.getByLabel('输入问题').fill('你好');
      await page.getByLabel('输入问题').press('Enter');
      await page.getByText('调用链路').last().waitFor();
      expect(await findLatinWords(page)).toEqual([]);
      expect(await findBarriers(page)).toEqual([]);
      expect(await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')).toBe(0);
    }
  });
});
