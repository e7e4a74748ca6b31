/** Access, limits, audit and configuration in a real browser, by keyboard; the results are read from the API. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, startGateway, type TestGateway } from '../whole/gateway.ts';
import { buildConsole } from './built-console.ts';
import { chromiumPath, findBarriers, findLatinWords, startChromium, type TestBrowser } from './chromium.ts';

const pages = [
  'configuration?add=import',
  'access',
  'access?tab=matrix',
  'access?tab=explain',
  'access?tab=view-as&as=user',
  'access?tab=tokens',
  'limits',
  'audit',
  'configuration',
  'settings',
];

describe.skipIf(chromiumPath === undefined)('the pages of administrators in Chromium', () => {
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

  it('grants a right by keyboard; the person has it, and the reason names the grant', async () => {
    const description = 'Only for the sales team.';
    await gateway.as('admin', 'POST', '/api/models', {
      name: 'team-chat',
      spec: { description, deployments: [{ provider: 'demo', model: 'echo' }] },
    });
    const ask = () =>
      gateway.as('user', 'POST', '/v1/chat/completions', { model: 'team-chat', messages: [{ role: 'user', content: 'Hello' }] });
    expect((await ask()).status).toBe(403);
    await using visit = await browser.visit(gateway.url, 'admin', '/console/access?tab=explain');
    const { page } = visit;
    const explain = async (): Promise<void> => {
      await page.getByRole('combobox', { name: 'Person' }).fill('user');
      await page.getByRole('combobox', { name: 'Capability' }).fill('model/team-chat');
      await page.keyboard.press('Escape');
      await page.getByRole('button', { name: 'Explain', exact: true }).press('Enter');
    };
    await explain();
    await page.getByText('no grant covers it').waitFor();
    await page.getByRole('button', { name: 'Grant a right' }).press('Enter');
    await page.getByLabel('Subject', { exact: true }).fill('user');
    await page.getByLabel('Capability', { exact: true }).fill('model/team-chat');
    await page.keyboard.press('Escape');
    expect(await findBarriers(page)).toEqual([]);
    await page.getByRole('button', { name: 'Create' }).press('Enter');
    await eventually(ask, ({ status }) => status === 200);
    const grants = (await gateway.as('admin', 'GET', '/api/grants')).json.data as { name: string; spec: object }[];
    const made = grants.find(({ spec }) => 'capability' in spec && spec.capability === 'model/team-chat');
    expect(made?.spec).toMatchObject({ subject_type: 'role', subject: 'user', action: 'use' });
    await page.goto(`${gateway.url}/console/access?tab=explain`);
    await explain();
    await page.getByText(`The grant ${made?.name} gives it.`).waitFor();
    expect(visit.faults).toEqual([]);
  });

  it('shows who may do what, filtered on the server', async () => {
    await using visit = await browser.visit(gateway.url, 'admin', '/console/access?tab=matrix&subject=user');
    const { page } = visit;
    await page.getByLabel('Capability').fill('model/team*');
    await page.keyboard.press('Enter');
    const cell = page.getByLabel(/^yes: The grant .* gives it\.$/);
    await cell.first().waitFor();
    expect(visit.requests.some((each) => each.includes('capability=model%2Fteam*') && each.includes('subject=user'))).toBe(true);
    expect(await findBarriers(page)).toEqual([]);
    expect(visit.faults).toEqual([]);
  });

  it('sets a budget by keyboard', async () => {
    await using visit = await browser.visit(gateway.url, 'admin', '/console/limits?add=yes', { theme: 'dark' });
    const { page } = visit;
    await page.getByLabel('Name', { exact: true }).fill('each-person');
    await page.getByLabel('Requests per minute', { exact: true }).fill('30');
    await page.getByLabel('Currency', { exact: true }).fill('CNY');
    await page.getByLabel('Per month', { exact: true }).fill('200');
    expect(await findBarriers(page)).toEqual([]);
    await page.getByRole('button', { name: 'Create' }).press('Enter');
    const saved = await eventually(
      () => gateway.as('admin', 'GET', '/api/limits/each-person'),
      ({ status }) => status === 200,
    );
    expect(saved.json.spec).toMatchObject({ subject_type: 'user', subject: '*', requests_per_minute: 30, spend: { currency: 'CNY' } });
    expect(Number(saved.json.spec.spend.per_month)).toBe(200);
    await page.getByText('CN¥200.00 a month').waitFor();
    expect(visit.faults).toEqual([]);
  });

  it('shows what a revision changed and goes back to before it', async () => {
    const spec = { description: 'Changed.', deployments: [{ provider: 'demo', model: 'flaky' }] };
    const changed = await gateway.as('admin', 'PUT', '/api/models/team-chat', { spec });
    const revision = Number(changed.headers.get('x-pailou-revision'));
    await using visit = await browser.visit(gateway.url, 'admin', '/console/configuration');
    const { page } = visit;
    await page.getByRole('button', { name: String(revision), exact: true }).press('Enter');
    await page.getByRole('dialog').getByText('Changed.', { exact: true }).waitFor();
    expect(await findBarriers(page)).toEqual([]);
    await page.getByRole('button', { name: 'Go back to before it' }).press('Enter');
    await page.getByRole('dialog', { name: `Restore the configuration of revision ${revision - 1}?` }).waitFor();
    await page.getByRole('button', { name: 'Roll back' }).press('Enter');
    const restored = await eventually(
      () => gateway.as('admin', 'GET', '/api/models/team-chat'),
      ({ json }) => json.spec.deployments[0].model === 'echo',
    );
    expect(restored.json.spec.description).toBe('Only for the sales team.');
    expect(visit.faults).toEqual([]);
  });

  it('finds an entry of the audit by filters in the address, with what differs', async () => {
    await using visit = await browser.visit(gateway.url, 'admin', '/console/audit?act=update&target=model/team-chat');
    const { page } = visit;
    await page.locator('button.row-name').last().press('Enter');
    await page.getByRole('dialog').getByText('Changed.', { exact: true }).first().waitFor();
    expect(await findBarriers(page)).toEqual([]);
    expect(visit.faults).toEqual([]);
  });

  it('shows the audit in Chinese: its acts, its details and their reasons, and names as they are', async () => {
    await gateway.as('user', 'POST', '/api/models', { name: 'mine', spec: { deployments: [{ provider: 'demo', model: 'echo' }] } });
    await gateway.as(null, 'GET', '/api/models', undefined, { authorization: 'Bearer no-token' });
    await gateway.as('admin', 'GET', '/api/explain?capability=model/demo/echo&action=manage&as=newcomer&roles=viewer');
    await using visit = await browser.visit(gateway.url, 'admin', '/console/audit', { language: 'zh' });
    const { page } = visit;
    await page.getByText('令牌不是 JWT（以点分隔的三段）。').waitFor();
    await page.getByText('令牌不含所需权限中的任何一个：').first().waitFor();
    await page.getByText('不允许（').first().waitFor();
    expect(await findLatinWords(page)).toEqual([]);
    // Names are marked as such; a sentence among them is one without a code.
    const marked = await page.locator('.ant-table-row [translate="no"]').allTextContents();
    expect(marked.length).toBeGreaterThan(20);
    expect(marked.filter((text) => /[a-z]+ [a-z]+ [a-z]+/i.test(text))).toEqual([]);
    await page.getByText('权限不足', { exact: true }).first().waitFor();
    expect(visit.faults).toEqual([]);
  });

  it('undoes the change of one row from its entry in the audit, and verifies the chain', async () => {
    await gateway.as('admin', 'PUT', '/api/models/team-chat', {
      spec: { description: 'A mistake.', deployments: [{ provider: 'demo', model: 'echo' }] },
    });
    await using visit = await browser.visit(gateway.url, 'admin', '/console/audit?act=update&target=model/team-chat');
    const { page } = visit;
    await page.locator('button.row-name').first().press('Enter');
    await page.getByRole('dialog').getByText('A mistake.', { exact: true }).first().waitFor();
    await page.getByRole('button', { name: 'Undo this change: team-chat' }).press('Enter');
    await page
      .getByRole('dialog', { name: 'Undo the change of team-chat?' })
      .getByRole('button', { name: 'Undo this change' })
      .press('Enter');
    await eventually(
      () => gateway.as('admin', 'GET', '/api/models/team-chat'),
      ({ json }) => json.spec.description === 'Only for the sales team.',
    );
    // Dialogs that are closing still take the keys.
    await eventually(
      () => page.getByRole('dialog').count(),
      (count) => count === 0,
    );
    await page.getByRole('button', { name: 'Verify the chain' }).press('Enter');
    await page.getByText('entries, all unchanged').waitFor();
    const { head } = (await gateway.as('admin', 'GET', '/api/audit/verify')).json;
    await page
      .getByRole('dialog')
      .locator('code')
      .filter({ hasText: /^\d+ [\w-]{43}$/ })
      .waitFor();
    expect(head.sequence).toBeGreaterThan(0);
    expect(await findBarriers(page)).toEqual([]);
    expect(visit.faults).toEqual([]);
  });

  it('shows what a person may see and use, and tests a token step by step', async () => {
    await using visit = await browser.visit(gateway.url, 'admin', '/console/access?tab=view-as&as=user');
    const { page } = visit;
    const row = page.locator('.ant-table-row').filter({ hasText: 'model/demo/echo' });
    await row
      .getByLabel(/^yes: /)
      .first()
      .waitFor();
    await page.getByRole('tab', { name: 'Tokens' }).press('Enter');
    await page.getByLabel('Access token').fill(await gateway.token('viewer'));
    await page.getByRole('button', { name: 'Test the token' }).press('Enter');
    const result = page.getByRole('region', { name: 'Result of the test' });
    await result.getByText('Its signature and its times are valid').waitFor();
    await result.getByText('llm:model:view', { exact: false }).first().waitFor();
    expect(await findBarriers(page)).toEqual([]);
    expect(visit.faults).toEqual([]);
  });

  it('shows the console as a person would see it: their menu, their pages, no request with other rights, and nothing can be done', async () => {
    await gateway.as('user', 'GET', '/api/me');
    const known = () => gateway.as('admin', 'GET', '/api/people/user');
    await eventually(known, ({ status }) => status === 200);
    await using visit = await browser.visit(gateway.url, 'admin', '/console/access?tab=view-as&as=user', { language: 'zh' });
    const { page } = visit;
    const begin = page.getByRole('button', { name: '以此人的视角查看控制台' });
    await begin.waitFor();
    const others: string[] = [];
    const refused: string[] = [];
    page.on('request', (request) => {
      const { pathname } = new URL(request.url());
      if (/^\/(api|v1)\//.test(pathname) && request.headers()['x-pailou-view-as'] !== 'user') others.push(pathname);
    });
    page.on('response', (response) => {
      if (response.status() >= 400) refused.push(response.url());
    });
    await begin.press('Enter');
    const banner = page.getByRole('alert').filter({ hasText: '当前以他人视角查看控制台' });
    await banner.waitFor();
    const menu = page.getByRole('navigation');
    await menu.getByRole('link', { name: '用量与费用' }).press('Enter');
    await page.getByRole('heading', { name: '用量与费用' }).waitFor();
    expect(await menu.getByRole('link', { name: '访问控制' }).count()).toBe(0);
    expect(await page.locator('a[download]').count()).toBe(0);
    expect(await findLatinWords(page)).toEqual([]);
    expect(await findBarriers(page)).toEqual([]);
    await menu.getByRole('link', { name: '我的密钥' }).press('Enter');
    await page.getByRole('heading', { name: '我的密钥' }).waitFor();
    await page.waitForLoadState('networkidle');
    expect({ others, refused }).toEqual({ others: [], refused: [] });

    await banner.getByRole('button').press('Enter');
    await menu.getByRole('link', { name: '访问控制' }).waitFor();
    expect(await banner.count()).toBe(0);
    await menu.getByRole('link', { name: '用量与费用' }).press('Enter');
    await page.locator('a[download]').waitFor();
    const { data } = (await gateway.as('admin', 'GET', '/api/audit?act=viewed+as')).json;
    expect(data).toMatchObject([{ actor: 'admin', target: 'person/user' }]);
    expect(visit.faults).toEqual([]);
  });

  it('imports documents by keyboard: the plan first, secrets asked for and never shown, then one revision', async () => {
    await using visit = await browser.visit(gateway.url, 'admin', '/console/configuration?add=import');
    const { page } = visit;
    const documents = page.getByLabel('Documents (YAML or JSON)');
    await documents.fill('kind: [');
    await page.locator('.ant-form-item-explain-error').waitFor();
    await documents.fill(`apiVersion: pailou/v1
kind: Provider
metadata: {name: imported}
spec: {kind: openai, options: {api_key: '\${env:OPENAI_KEY}'}}
---
apiVersion: pailou/v1
kind: Model
metadata: {name: team-chat}
spec: {description: From a file., deployments: [{provider: imported, model: gpt-5}]}
`);
    await page.getByLabel(/env:OPENAI_KEY/).fill('sk-imported');
    await page.getByRole('button', { name: 'Show the plan (2 documents)' }).press('Enter');
    const plan = page.getByRole('region', { name: 'The plan' });
    await plan.getByText('Provider imported').waitFor();
    await plan.getByText('From a file.', { exact: true }).waitFor();
    expect(await plan.textContent()).not.toContain('sk-imported');
    expect((await gateway.as('admin', 'GET', '/api/providers/imported')).status).toBe(404);
    expect(await findBarriers(page)).toEqual([]);
    await page.getByRole('button', { name: 'Make 2 changes' }).press('Enter');
    const made = await eventually(
      () => gateway.as('admin', 'GET', '/api/providers/imported'),
      ({ status }) => status === 200,
    );
    expect(made.json.spec.options.api_key).toBe('***');
    expect((await gateway.as('admin', 'GET', '/api/models/team-chat')).json.spec.description).toBe('From a file.');
    expect(visit.faults).toEqual([]);
  });

  it('is closed to those who are no administrators', async () => {
    await using visit = await browser.visit(gateway.url, 'user', '/console/access');
    const { page } = visit;
    await page.getByText('You may not see this page').waitFor();
    expect(visit.requests.filter((each) => /grants|matrix|audit|limits|history/.test(each))).toEqual([]);
  });

  it('is Chinese to the last word, in both themes and on a phone', async () => {
    for (const [index, path] of pages.entries()) {
      const theme = index % 2 === 0 ? 'light' : 'dark';
      await using visit = await browser.visit(gateway.url, 'admin', `/console/${path}`, { language: 'zh', theme, width: 390 });
      const { page } = visit;
      await page
        .locator(
          path.includes('explain')
            ? '#explain-person'
            : path.includes('import')
              ? '#import-documents'
              : path.includes('tokens')
                ? '#token-text'
                : '.ant-table-row',
        )
        .first()
        .waitFor();
      expect(await findLatinWords(page), path).toEqual([]);
      expect(await findBarriers(page), path).toEqual([]);
      const overflow = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
      expect(overflow, path).toBe(0);
    }
  });
});
