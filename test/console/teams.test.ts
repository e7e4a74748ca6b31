/** Teams, service accounts, keys for others, and what other tenants share, in a real browser, by keyboard; the results are read from the API. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, startGateway, type TestGateway } from '../whole/gateway.ts';
import { buildConsole } from './built-console.ts';
import { chromiumPath, findBarriers, findLatinWords, startChromium, type TestBrowser } from './chromium.ts';

describe.skipIf(chromiumPath === undefined)('teams and keys for others in Chromium', () => {
  let gateway: TestGateway;
  let browser: TestBrowser;
  beforeAll(async () => {
    buildConsole();
    [gateway, browser] = await Promise.all([startGateway(), startChromium()]);
    for (const role of ['developer', 'user'] as const) await gateway.as(role, 'GET', '/api/me');
    await eventually(
      () => gateway.as('admin', 'GET', '/api/people/user'),
      ({ status }) => status === 200,
    );
  });
  afterAll(async () => {
    await browser[Symbol.asyncDispose]();
    await gateway[Symbol.asyncDispose]();
  });

  it('sets up a team and its service account from their schemas', async () => {
    await using visit = await browser.visit(gateway.url, 'admin', '/console/access?tab=teams');
    const { page } = visit;
    await page.getByRole('button', { name: 'Add a team' }).first().press('Enter');
    await page.getByLabel('Name', { exact: true }).fill('lab');
    await page.getByLabel('Role or group', { exact: true }).fill('developer');
    expect(await findBarriers(page)).toEqual([]);
    await page.getByRole('button', { name: 'Create' }).press('Enter');
    await eventually(
      () => gateway.as('admin', 'GET', '/api/teams/lab'),
      ({ json }) => json?.spec?.role === 'developer',
    );
    await gateway.as('admin', 'PATCH', '/api/teams/lab', { spec: { administrators: ['user'] } });
    await page.goto(`${gateway.url}/console/access?tab=accounts`);
    await page.getByRole('button', { name: 'Add a service account' }).first().press('Enter');
    await page.getByLabel('Name', { exact: true }).fill('lab-bot');
    await page.getByLabel('Team', { exact: true }).fill('lab');
    await page.keyboard.press('Escape');
    expect(await findBarriers(page)).toEqual([]);
    await page.getByRole('button', { name: 'Create' }).press('Enter');
    await eventually(
      () => gateway.as('admin', 'GET', '/api/service-accounts/lab-bot'),
      ({ json }) => json?.spec?.team === 'lab',
    );
    expect(visit.faults).toEqual([]);
  });

  it('makes a key for another person', async () => {
    await using visit = await browser.visit(gateway.url, 'admin', '/console/keys?add=yes');
    const { page } = visit;
    await page.getByLabel('Purpose').fill('their editor');
    await page.getByRole('radio', { name: 'Another person' }).press('Space');
    await page.getByRole('combobox', { name: 'Person' }).fill('developer');
    await page.keyboard.press('Escape');
    expect(await findBarriers(page)).toEqual([]);
    await page.getByRole('button', { name: 'Make the key' }).press('Enter');
    await page.getByRole('button', { name: 'I have copied it' }).press('Enter');
    const row = page.locator('.ant-table-row').filter({ hasText: 'their editor' });
    await row.waitFor();
    expect(await row.getByRole('button', { name: 'Rotate' }).isDisabled(), 'the secret is theirs').toBe(true);
    const keys = (await gateway.as('developer', 'GET', '/api/keys')).json.data as object[];
    expect(keys).toEqual([expect.objectContaining({ title: 'their editor', owner: 'developer', made_by: 'admin' })]);
    expect(visit.faults).toEqual([]);
  });

  it('lets an administrator of a team make and revoke a key of its service account, and nothing more', async () => {
    await using visit = await browser.visit(gateway.url, 'user', '/console/keys?add=yes');
    const { page } = visit;
    await page.getByLabel('Purpose').fill('nightly');
    await page.getByRole('radio', { name: 'A service account' }).press('Space');
    expect(await page.getByRole('radio', { name: 'Another person' }).count()).toBe(0);
    await page.getByRole('combobox', { name: 'Service account' }).press('ArrowDown');
    await page.locator('.ant-select-item-option').filter({ hasText: 'lab-bot' }).waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Make the key' }).press('Enter');
    await page.getByRole('button', { name: 'I have copied it' }).press('Enter');
    const keysOf = async () => (await gateway.as('admin', 'GET', '/api/keys')).json.data as { service: string | null; made_by: string }[];
    expect((await keysOf()).filter(({ service }) => service === 'lab-bot')).toEqual([expect.objectContaining({ made_by: 'user' })]);
    const row = page.locator('.ant-table-row').filter({ hasText: 'lab-bot' });
    expect(await row.getByRole('button', { name: 'Rotate' }).isDisabled()).toBe(true);
    await using admin = await browser.visit(gateway.url, 'admin', '/console/access?tab=teams&open=lab&part=keys');
    await admin.page.getByRole('region', { name: 'lab-bot' }).getByText('nightly').waitFor();
    expect(await findBarriers(admin.page)).toEqual([]);
    await admin.page.getByRole('tab', { name: 'Members' }).press('Enter');
    await admin.page.locator('.ant-drawer .ant-table-row').filter({ hasText: 'developer' }).waitFor();
    await row.getByRole('button', { name: 'Revoke' }).press('Enter');
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).press('Enter');
    await eventually(keysOf, (keys) => keys.every(({ service }) => service !== 'lab-bot'));
    expect([...visit.faults, ...admin.faults]).toEqual([]);
  });

  it('offers no others to a person who may not', async () => {
    await using visit = await browser.visit(gateway.url, 'viewer', '/console/keys?add=yes');
    await visit.page.getByLabel('Purpose').fill('mine');
    await eventually(
      async () => visit.requests.some((each) => each.includes('/api/service-accounts')),
      (asked) => asked,
    );
    expect(await visit.page.getByRole('radio', { name: /service account|Another person/ }).count()).toBe(0);
    expect(visit.requests.filter((each) => each.includes('/api/people'))).toEqual([]);
  });

  describe('the usage of a team', () => {
    const open = (role: Parameters<TestBrowser['visit']>[1], query = '') => browser.visit(gateway.url, role, `/console/usage${query}`);
    const answered = async (requests: readonly string[], part: string): Promise<void> => {
      await eventually(
        async () => requests.some((each) => each.includes(part)),
        (asked) => asked,
      );
    };
    beforeAll(async () => {
      const call = { model: 'demo/echo', messages: [{ role: 'user', content: 'Hello' }] };
      for (const role of ['developer', 'admin'] as const)
        expect((await gateway.as(role, 'POST', '/v1/chat/completions', call)).status).toBe(200);
      await eventually(
        () => gateway.as('admin', 'GET', '/api/reports/series?by=user'),
        ({ json }) => json.total.calls === 2,
      );
    });

    it.each(['user', 'admin'] as const)('is chosen by keyboard by those who may see it: %s', async (role) => {
      await using visit = await open(role, '?by=provider');
      const { page } = visit;
      const choice = page.getByRole('combobox', { name: 'Whose usage' });
      await choice.press('ArrowDown');
      await page.locator('.ant-select-item-option').filter({ hasText: 'Team lab' }).waitFor();
      await choice.fill('lab');
      await choice.press('Enter');
      await page.getByRole('row').filter({ hasText: 'demo/echo' }).waitFor();
      // Sums of teams have no providers, so the page groups by model instead, and by person where asked.
      await page.getByRole('combobox', { name: 'Group by' }).press('ArrowDown');
      expect(
        await page
          .locator('.ant-select-item-option')
          .filter({ hasText: /Provider|Deployment|Team$/ })
          .count(),
      ).toBe(0);
      await page.locator('.ant-select-item-option').filter({ hasText: 'Person' }).click();
      const row = page.getByRole('row').filter({ hasText: 'developer' });
      await row.waitFor();
      expect(await row.getByRole('cell').nth(1).textContent()).toBe('1');
      expect(await page.getByRole('row').filter({ hasText: 'admin' }).count(), 'who is no member').toBe(0);
      // The list of a choice has no name while it folds up.
      await eventually(
        () => findBarriers(page),
        (barriers) => barriers.length === 0,
      );
      const file = await page.getByRole('link', { name: 'CSV by day' }).getAttribute('href');
      expect(file).toContain('team=lab');
      const csv = await gateway.as(role, 'GET', file ?? '');
      expect(csv.status).toBe(200);
      expect(csv.text.split('\r\n')[1]).toContain('developer');
      expect(visit.faults).toEqual([]);
    });

    it.each(['developer', 'viewer'] as const)('is not offered to others, and refused by the address: %s', async (role) => {
      await using visit = await open(role);
      await visit.page.locator('h1').waitFor();
      await answered(visit.requests, '/api/teams');
      await visit.page.getByRole('combobox', { name: 'Group by' }).waitFor();
      expect(await visit.page.getByRole('combobox', { name: 'Whose usage' }).count()).toBe(0);
      await visit.page.goto(`${gateway.url}/console/usage?team=lab`);
      await visit.page.getByText('You do not administer this team').first().waitFor();
      expect(await visit.page.getByRole('row').count()).toBe(0);
      for (const path of ['/api/reports/series?team=lab', '/api/usage?team=lab', '/api/usage?team=lab&format=csv'])
        expect((await gateway.as(role, 'GET', path)).status, path).toBe(403);
    });
  });

  it.each(['access?tab=teams', 'access?tab=accounts', 'access?tab=teams&open=lab&part=members', 'keys?add=yes', 'usage?team=lab&by=user'])(
    '%s is Chinese to the last word, without barriers, on a phone too',
    async (path) => {
      await using visit = await browser.visit(gateway.url, 'admin', `/console/${path}`, { language: 'zh', theme: 'dark', width: 390 });
      const { page } = visit;
      await page
        .locator(path.startsWith('keys') ? '#key-for' : '.ant-table-row')
        .first()
        .waitFor();
      expect(await findLatinWords(page)).toEqual([]);
      expect(await findBarriers(page)).toEqual([]);
      expect(await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')).toBe(0);
    },
  );

  it('shows what another tenant shares, in Chinese and in the dark on a phone, and grants it by keyboard with a form that names it', async () => {
    const must = async (path: string, body: object): Promise<void> => {
      const { status, text } = await gateway.as('foreigner' as 'user', 'POST', path, body);
      expect(status, text).toBeLessThan(300);
    };
    await must('/api/providers', { name: 'theirs', spec: { kind: 'demo' } });
    const deployments = [{ provider: 'theirs', model: 'echo', price: { currency: 'CNY', input: '2', output: '8' } }];
    const spec = { description: '总部的模型', deployments, shared_with: ['default'] };
    await must('/api/models', { name: 'shared-chat', spec });
    await must('/api/models', { name: 'demo/echo', spec });
    const ask = () =>
      gateway.as('user', 'POST', '/v1/chat/completions', { model: 'shared-chat', messages: [{ role: 'user', content: 'Hello' }] });
    expect((await ask()).status).toBe(403);
    await using visit = await browser.visit(gateway.url, 'admin', '/console/models', { language: 'zh', theme: 'dark', width: 390 });
    const { page } = visit;
    await page.getByRole('radio', { name: '本租户' }).press('ArrowRight');
    const row = page.locator('.ant-table-row');
    await row.filter({ hasText: 'shared-chat' }).getByText('尚无人可用').waitFor();
    // A row of one's own with the same name comes first.
    await row.filter({ hasText: 'demo/echo' }).getByText('同名配置属于租户 default').waitFor();
    await row.filter({ hasText: 'shared-chat' }).getByText('¥2.00 / ¥8.00').waitFor();
    expect(visit.requests).toContain('GET /api/shared?kind=model&limit=200');
    expect(await findLatinWords(page)).toEqual([]);
    expect(await findBarriers(page)).toEqual([]);
    expect(await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')).toBe(0);
    await page.getByRole('button', { name: '授权: model/shared-chat' }).press('Enter');
    await page.getByRole('dialog').getByLabel('对象', { exact: true }).fill('user');
    expect(await findBarriers(page)).toEqual([]);
    await page.getByRole('dialog').getByRole('button', { name: '创建' }).press('Enter');
    await eventually(ask, ({ status }) => status === 200);
    await page.goto(`${gateway.url}/console/models?from=shared`);
    await row.filter({ hasText: 'shared-chat' }).getByText('已授权').waitFor();
    await page.goto(`${gateway.url}/console/skills?from=shared`);
    await page.getByText('还没有其他租户共享这类配置').waitFor();
    expect(visit.faults).toEqual([]);
  });

  it('keeps what other tenants share from those who are no administrators', async () => {
    await using visit = await browser.visit(gateway.url, 'developer', '/console/models?from=shared');
    await visit.page.getByRole('button', { name: 'demo/echo', exact: true }).waitFor();
    expect(await visit.page.getByText('Shared with us').count()).toBe(0);
    expect(visit.requests.filter((each) => each.includes('/api/shared'))).toEqual([]);
  });
});
