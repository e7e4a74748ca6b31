/** A new administrator sets up a gateway in the browser: vendor, models, a grant, a key; then a user calls. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, startGateway, type TestGateway } from '../whole/gateway.ts';
import { answerOk, startVendor, type Vendor } from '../whole/vendor.ts';
import { buildConsole } from './built-console.ts';
import { chromiumPath, findBarriers, findLatinWords, rowsOf, startChromium, type TestBrowser } from './chromium.ts';

const root = join(import.meta.dirname, '../..');
/** A kind that the console has never seen: nested options, a secret in them, and a list of objects. */
const plugin = `
import { z } from ${JSON.stringify(pathToFileURL(join(root, 'node_modules/zod/index.js')).href)};
import { definePlugin } from ${JSON.stringify(pathToFileURL(join(root, 'src/types/plugin.ts')).href)};
import { secret } from ${JSON.stringify(pathToFileURL(join(root, 'src/types/secret.ts')).href)};
export default definePlugin({
  type: 'provider', kind: 'unheard-of', title: 'Unheard of', connects: false,
  options: z.strictObject({
    region: z.enum(['north', 'south']),
    account: z.strictObject({ number: z.string(), password: secret() }),
    routes: z.array(z.strictObject({ from: z.string(), weight: z.int().min(1) })).default([]),
  }),
  create: () => ({ formats: { chat: 'openai' }, address: () => 'http://127.0.0.1:9/', authorize: () => undefined }),
});
`;

describe.skipIf(chromiumPath === undefined)('setting up in Chromium', () => {
  let gateway: TestGateway;
  let vendor: Vendor;
  let browser: TestBrowser;
  let plugins: string;
  beforeAll(async () => {
    buildConsole();
    plugins = await mkdtemp(join(tmpdir(), 'pailou-plugins-'));
    await writeFile(join(plugins, 'unheard-of.ts'), plugin);
    [gateway, vendor, browser] = await Promise.all([startGateway({ PAILOU_PLUGINS_DIR: plugins }), startVendor(), startChromium()]);
    vendor.behave((request, response) => {
      if (request.headers.authorization !== 'Bearer sk-right') {
        response.writeHead(401, { 'content-type': 'application/json' }).end('{"error":{"message":"Incorrect API key provided"}}');
      } else if (request.path.endsWith('/models')) {
        const data = ['one', 'two', 'three', 'four'].map((id) => ({ id }));
        response.writeHead(200, { 'content-type': 'application/json' }).end(JSON.stringify({ data }));
      } else answerOk(request, response, 'hello from the vendor');
    });
  });
  afterAll(async () => {
    await browser[Symbol.asyncDispose]();
    await gateway[Symbol.asyncDispose]();
    await vendor[Symbol.asyncDispose]();
    await rm(plugins, { recursive: true });
  });

  it('goes from a wrong key to three models that can be called', async () => {
    await using visit = await browser.visit(gateway.url, 'admin', '/console/providers?add=yes');
    const { page } = visit;
    await page.getByLabel('Name', { exact: true }).fill('new-vendor');
    await page.getByLabel('Base URL', { exact: true }).fill(vendor.url);
    await page.getByLabel('API key', { exact: true }).fill('sk-wrong');
    await page.getByRole('button', { name: 'Discover models' }).press('Enter');
    await page.getByText('The vendor refused the key').waitFor();
    await page.getByText('Incorrect API key provided').waitFor();
    await page.getByLabel('API key', { exact: true }).fill('sk-right');
    await page.getByRole('button', { name: 'Discover models' }).press('Enter');
    for (const name of ['one', 'two', 'three']) await page.getByRole('checkbox', { name, exact: true }).press('Space');
    await page.getByText('3 models are added when the provider is created.').waitFor();
    await page.getByRole('button', { name: 'Create' }).press('Enter');
    await page.getByText('3 models are added and can be called.').waitFor();
    for (const model of ['one', 'two', 'three']) {
      const answer = await gateway.as('admin', 'POST', '/v1/chat/completions', { model, messages: [{ role: 'user', content: 'hi' }] });
      expect([answer.status, answer.json.choices?.[0].message.content]).toEqual([200, 'hello from the vendor']);
    }
    expect((await gateway.as('admin', 'GET', '/api/models/four')).status).toBe(404);
    expect(visit.faults).toEqual([]);
  });

  it('leaves only those models ticked that could not be added', async () => {
    await using visit = await browser.visit(gateway.url, 'admin', '/console/providers?open=new-vendor');
    const { page } = visit;
    await page.getByRole('button', { name: 'Discover models' }).press('Enter');
    for (const name of ['four', 'one']) await page.getByRole('checkbox', { name, exact: true }).press('Space');
    await page.getByRole('button', { name: 'Add 2 models' }).press('Enter');
    await page.getByRole('button', { name: 'Add 1 model' }).waitFor();
    expect(await page.getByRole('checkbox', { name: 'one', exact: true }).isChecked()).toBe(true);
    expect((await gateway.as('admin', 'GET', '/api/models/four')).status).toBe(200);
    expect(visit.faults).toEqual([]);
  });

  it('grants a model to a role, and takes it back', async () => {
    await gateway.as('admin', 'POST', '/api/models', {
      name: 'granted',
      spec: { deployments: [{ provider: 'new-vendor', model: 'one' }] },
    });
    const ask = async (): Promise<number> =>
      (await gateway.as('user', 'POST', '/v1/chat/completions', { model: 'granted', messages: [{ role: 'user', content: 'hi' }] })).status;
    expect(await ask()).not.toBe(200);
    await using visit = await browser.visit(gateway.url, 'admin', '/console/models?open=granted&tab=access');
    const { page } = visit;
    await page.getByRole('combobox', { name: 'Name of the role, person or client' }).fill('user');
    await page.keyboard.press('Escape');
    await page.getByRole('button', { name: 'Grant', exact: true }).press('Enter');
    await page.getByRole('button', { name: 'Take back: user' }).waitFor();
    expect(await eventually(ask, (status) => status === 200)).toBe(200);
    await page.getByRole('button', { name: 'Take back: user' }).press('Enter');
    expect(await eventually(ask, (status) => status !== 200)).not.toBe(200);
    expect(visit.faults).toEqual([]);
  });

  it('sets up a kind that the console has never seen, from its schema alone', async () => {
    await using visit = await browser.visit(gateway.url, 'admin', '/console/providers?add=yes');
    const { page } = visit;
    await page.getByLabel('Name', { exact: true }).fill('strange');
    await page.getByRole('combobox', { name: 'Kind', exact: true }).focus();
    await page.keyboard.type('unheard');
    // Enter chooses the option that is marked, once the list is open.
    const marked = page.locator('.ant-select-item-option-active');
    await marked.filter({ hasText: 'unheard-of' }).waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('combobox', { name: 'Region', exact: true }).focus();
    await page.keyboard.press('ArrowDown');
    await marked.filter({ hasText: 'north' }).waitFor();
    await page.keyboard.press('Enter');
    await page.getByLabel('Number', { exact: true }).fill('42');
    await page.getByLabel('Password', { exact: true }).fill('very-secret');
    await page.getByRole('button', { name: 'Add: Routes' }).press('Enter');
    await page.getByLabel('From', { exact: true }).fill('here');
    await page.getByLabel('Weight', { exact: true }).fill('3');
    await page.getByRole('button', { name: 'Create' }).press('Enter');
    const saved = await eventually(
      () => gateway.as('admin', 'GET', '/api/providers/strange'),
      ({ status }) => status === 200,
    );
    expect(saved.json.spec.options).toEqual({
      region: 'north',
      account: { number: '42', password: '***' },
      routes: [{ from: 'here', weight: 3 }],
    });
    expect(visit.faults).toEqual([]);
  });

  it('shows two administrators who save the same row what differs, and loses nothing', async () => {
    const spec = { description: 'first', deployments: [{ provider: 'demo', model: 'echo' }] };
    await gateway.as('admin', 'POST', '/api/models', { name: 'shared', spec });
    await using visit = await browser.visit(gateway.url, 'admin', '/console/models?open=shared');
    const { page } = visit;
    await page.getByLabel('Description', { exact: true }).fill('mine');
    await gateway.as('admin', 'PUT', '/api/models/shared', { spec: { ...spec, description: 'of a colleague' } });
    await page.getByRole('button', { name: 'Save', exact: true }).press('Enter');
    await page.getByText('The row was changed by another person while you edited it').waitFor();
    await page.getByRole('cell', { name: 'of a colleague' }).waitFor();
    expect((await gateway.as('admin', 'GET', '/api/models/shared')).json.spec.description).toBe('of a colleague');
    await page.getByRole('button', { name: 'Keep mine and save' }).press('Enter');
    await eventually(
      async () => (await gateway.as('admin', 'GET', '/api/models/shared')).json.spec.description,
      (description) => description === 'mine',
    );
  });

  it('makes a key that is shown once, copied without the clipboard of https, and used', async () => {
    await using visit = await browser.visit(gateway.url, 'user', '/console/keys');
    const { page } = visit;
    // As on a plain-http address in a local network.
    await page.evaluate("Object.defineProperty(navigator, 'clipboard', { value: undefined })");
    await page.getByRole('button', { name: 'Make a key' }).first().press('Enter');
    await page.getByLabel('Purpose').fill('editor');
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog').filter({ hasText: 'Your new key' });
    const key = await dialog.getByLabel('Key', { exact: true }).inputValue();
    await dialog.getByRole('button', { name: 'Copy: Key' }).press('Enter');
    await dialog.getByRole('button', { name: 'Copied: Key' }).waitFor();
    expect(await findBarriers(page)).toEqual([]);
    await dialog.getByRole('button', { name: 'I have copied it' }).press('Enter');
    await rowsOf(page, 'editor').waitFor();
    expect(await page.content()).not.toContain(key);
    const called = await fetch(`${gateway.url}/v1/models`, { headers: { authorization: `Bearer ${key}` } });
    expect(called.status).toBe(200);
    await rowsOf(page, 'editor').getByRole('button', { name: 'Revoke' }).press('Enter');
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).press('Enter');
    await eventually(
      async () => (await fetch(`${gateway.url}/v1/models`, { headers: { authorization: `Bearer ${key}` } })).status,
      (status) => status === 401,
    );
    expect(visit.faults).toEqual([]);
  });

  it('sees the first call of a client arrive', async () => {
    await using visit = await browser.visit(gateway.url, 'user', '/console/connect?client=claude-code&model=demo/echo');
    const { page } = visit;
    await page.getByText(`export ANTHROPIC_BASE_URL=${gateway.url}`).waitFor();
    await page.getByText('Waiting for your first call').waitFor();
    await gateway.as('user', 'POST', '/v1/chat/completions', { model: 'demo/echo', messages: [{ role: 'user', content: 'hi' }] });
    await page.getByText('Your call has arrived:').waitFor();
    expect(await page.getByRole('link', { name: 'Trace' }).getAttribute('href')).toContain('/console/calls?open=');
    expect(visit.faults).toEqual([]);
  });

  it.each(['/console/models', '/console/keys', '/console/connect', '/console/models?open=one'])(
    '%s is Chinese to the last word, without barriers, on a phone too',
    async (path) => {
      for (const [theme, width] of [
        ['light', 1_280],
        ['dark', 390],
      ] as const) {
        await using visit = await browser.visit(gateway.url, 'admin', path, { language: 'zh', theme, width });
        const { page } = visit;
        await page.waitForLoadState('networkidle');
        expect(await findLatinWords(page)).toEqual([]);
        expect(await findBarriers(page)).toEqual([]);
        expect(await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')).toBe(0);
      }
    },
  );
});
