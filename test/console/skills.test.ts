/** The page of skills in a real browser, by keyboard; the results are read from the API. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, startGateway, type TestGateway } from '../whole/gateway.ts';
import { buildConsole } from './built-console.ts';
import { chromiumPath, findBarriers, findLatinWords, startChromium, type TestBrowser } from './chromium.ts';

describe.skipIf(chromiumPath === undefined)('skills in Chromium', () => {
  let gateway: TestGateway;
  let browser: TestBrowser;
  const instructions = (text: string) => ({
    kind: 'prompt',
    description: 'Says something about a city.',
    model: 'demo/echo',
    options: {
      instructions: text,
      prompt: 'A fact about {{city}}.',
      input_schema: { type: 'object', properties: { city: { type: 'string' } }, required: ['city'] },
    },
    cases: [{ name: 'suzhou', input: { city: 'Suzhou' }, expect: { contains: ['fact about suzhou'] } }],
  });
  beforeAll(async () => {
    buildConsole();
    [gateway, browser] = await Promise.all([startGateway(), startChromium()]);
  });
  afterAll(async () => {
    await browser[Symbol.asyncDispose]();
    await gateway[Symbol.asyncDispose]();
  });

  it('creates a skill, tries it by a form made from its input schema, and keeps the result as a case', async () => {
    await using visit = await browser.visit(gateway.url, 'admin', '/console/skills', { theme: 'dark' });
    const { page } = visit;
    await page.getByRole('button', { name: 'Add skill' }).press('Enter');
    await page.getByLabel('Name', { exact: true }).fill('styled');
    await page.getByLabel('Description', { exact: true }).fill('Answers in a style.');
    await page.getByLabel('Model', { exact: true }).fill('demo/echo');
    expect(await findBarriers(page)).toEqual([]);
    await page.getByRole('button', { name: 'Create' }).press('Enter');

    // The drawer goes on with the trial of what was saved.
    await page.getByLabel('Text', { exact: true }).fill('Hello, tea!');
    await page.getByRole('button', { name: 'Run' }).press('Enter');
    await page.getByText('This field is required.').waitFor();
    await page.getByLabel('Style', { exact: true }).fill('a poet');
    await page.getByRole('button', { name: 'Run' }).press('Enter');
    await page.getByRole('region', { name: 'Output' }).getByText('You said: Hello, tea!').waitFor();
    // What the run called, over time, in the same place.
    await page.getByText('model/demo/echo', { exact: true }).waitFor();
    const href = await page.getByRole('link', { name: 'Trace' }).getAttribute('href');
    const id = new URL(href ?? '', gateway.url).searchParams.get('open');
    const run = await eventually(
      () => gateway.as('admin', 'GET', `/api/runs/${id}`),
      ({ status }) => status === 200,
    );
    expect(run.json).toMatchObject({ capability: 'skill/styled', username: 'admin', outcome: 'complete' });
    await page.getByRole('button', { name: 'Add as a case' }).press('Enter');
    await page.getByRole('button', { name: 'Save' }).press('Enter');
    const saved = await eventually(
      () => gateway.as('admin', 'GET', '/api/skills/styled'),
      ({ json }) => json.spec.cases.length === 1,
    );
    expect(saved.json.spec.cases[0]).toMatchObject({
      input: { text: 'Hello, tea!', style: 'a poet' },
      expect: { equals: expect.stringContaining('Hello, tea!') },
    });
    expect(visit.faults).toEqual([]);
  });

  it('runs the cases as a table, publishes, and rolls back: callers get the right version each time', async () => {
    await gateway.as('admin', 'POST', '/api/skills', { name: 'city', spec: instructions('You know cities.') });
    await using visit = await browser.visit(gateway.url, 'admin', '/console/skills?open=city&tab=cases');
    const { page } = visit;
    await page.getByRole('button', { name: 'Run the cases' }).press('Enter');
    await page.getByText('1 of 1 passed').waitFor();
    expect(await findBarriers(page)).toEqual([]);

    const live = async (): Promise<string> =>
      (await gateway.as('admin', 'POST', '/v1/skills/city/runs', { input: { city: 'Suzhou' } })).json.version;
    await page.getByRole('tab', { name: 'Versions' }).press('Enter');
    await page.getByRole('textbox', { name: 'Version', exact: true }).press('Enter');
    await page.getByText('Callers get version 1.0.0.').waitFor();
    expect(await live()).toBe('1.0.0');

    // A change of the settings is a draft from now on.
    await page.getByRole('tab', { name: 'Settings' }).press('Enter');
    await page.getByLabel('Instructions', { exact: true }).fill('You know towns.');
    await page.getByRole('button', { name: 'Save' }).press('Enter');
    await eventually(
      () => gateway.as('admin', 'GET', '/api/skills/city'),
      ({ json }) => json.spec.options.instructions === 'You know towns.',
    );
    expect(await live()).toBe('1.0.0');
    await page.goto(`${gateway.url}/console/skills?open=city&tab=versions`);
    await page.locator('#publish-version[value="1.0.1"]').waitFor();
    await page.getByRole('button', { name: 'Expand row' }).press('Enter');
    await page.getByText('options.instructions').waitFor();
    await page.getByRole('textbox', { name: 'Version', exact: true }).press('Enter');
    await page.getByText('Callers get version 1.0.1.').waitFor();
    expect(await live()).toBe('1.0.1');

    await page.getByRole('button', { name: 'Roll back to it: 1.0.0' }).press('Enter');
    await page.getByRole('dialog', { name: 'Let callers get 1.0.0?' }).getByRole('button', { name: 'Roll back to it' }).press('Enter');
    await page.getByText('Callers get version 1.0.0.').waitFor();
    expect(await live()).toBe('1.0.0');
    expect(visit.faults).toEqual([]);
  });

  it('shows viewers the public part and no button that would be refused', async () => {
    await using visit = await browser.visit(gateway.url, 'viewer', '/console/skills?open=city');
    const { page } = visit;
    await page.getByText('You may view this row but not change it').waitFor();
    expect(await page.getByRole('button', { name: 'Add skill' }).count()).toBe(0);
    expect(await page.getByRole('button', { name: 'Save' }).count()).toBe(0);
    expect(await page.content()).not.toContain('You know');
  });

  it('is Chinese to the last word, in both themes and on a phone', async () => {
    for (const [theme, tab] of [
      ['light', 'form'],
      ['dark', 'try'],
      ['light', 'cases'],
      ['dark', 'versions'],
    ] as const) {
      await using visit = await browser.visit(gateway.url, 'admin', `/console/skills?open=city&tab=${tab}`, {
        language: 'zh',
        theme,
        width: 390,
      });
      const { page } = visit;
      await page.getByRole('tab', { selected: true }).waitFor();
      if (tab !== 'form') await page.getByRole('tabpanel').getByRole('button').first().waitFor();
      expect(await findLatinWords(page), tab).toEqual([]);
      expect(await findBarriers(page), tab).toEqual([]);
      const overflow = await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth');
      expect(overflow).toBe(0);
    }
  });
});
