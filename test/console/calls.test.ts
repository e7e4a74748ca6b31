/** The ledger in a real browser: a call found by its filters, followed from the click to each attempt at the vendor. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, node, startGateway, type TestGateway } from '../whole/gateway.ts';
import { answerOk, startVendor, type Vendor } from '../whole/vendor.ts';
import { buildConsole } from './built-console.ts';
import { chromiumPath, findBarriers, findLatinWords, rowsOf, startChromium, type TestBrowser } from './chromium.ts';

/** A vendor in a process of its own: prints its port, and a word for each question, which it never answers. */
const vendorProgram = `
const server = require('node:http').createServer((request) => request.resume().on('end', () => console.log('asked')));
server.listen(0, '127.0.0.1', () => console.log(server.address().port));
`;

describe.skipIf(chromiumPath === undefined)('calls in Chromium', () => {
  let gateway: TestGateway;
  let broken: Vendor;
  let healthy: Vendor;
  let browser: TestBrowser;
  const chat = (model: string): Promise<{ readonly headers: Headers }> =>
    gateway.as('user', 'POST', '/v1/chat/completions', { model, messages: [{ role: 'user', content: 'hi' }] });
  const booked = (id: string | null): Promise<unknown> =>
    eventually(
      () => gateway.as('admin', 'GET', `/api/runs/${id}`),
      ({ status }) => status === 200,
    );

  beforeAll(async () => {
    buildConsole();
    [gateway, broken, healthy, browser] = await Promise.all([startGateway(), startVendor(), startVendor(), startChromium()]);
    broken.behave((_request, response) => {
      response.writeHead(503, { 'content-type': 'application/json' }).end('{"error":{"message":"no capacity today"}}');
    });
    healthy.behave((request, response) => answerOk(request, response));
    for (const [name, { url }] of Object.entries({ broken, healthy }))
      await gateway.as('admin', 'POST', '/api/providers', { name, spec: { kind: 'openai-compatible', options: { base_url: url } } });
    const deployments = [
      { provider: 'broken', model: 'first', tier: 0 },
      { provider: 'healthy', model: 'second', tier: 1 },
    ];
    const spec = { deployments, retry: { same: 0 } };
    await gateway.as('admin', 'POST', '/api/models', { name: 'two', spec });
  });
  afterAll(async () => {
    await browser[Symbol.asyncDispose]();
    await gateway[Symbol.asyncDispose]();
    await broken[Symbol.asyncDispose]();
    await healthy[Symbol.asyncDispose]();
  });

  it('finds a call by a filter in the address, and shows both attempts of a failover with what the vendor said', async () => {
    const answer = await gateway.as('admin', 'POST', '/v1/chat/completions', { model: 'two', messages: [{ role: 'user', content: 'hi' }] });
    expect(answer.status, answer.text).toBe(200);
    await chat('demo/echo');
    await booked(answer.headers.get('x-pailou-trace-id'));
    await using visit = await browser.visit(gateway.url, 'admin', '/console/calls');
    const { page } = visit;
    await page.getByLabel('Model, skill or tool').fill('model/two');
    await page.keyboard.press('Enter');
    await expect.poll(() => new URL(page.url()).searchParams.get('capability')).toBe('model/two');
    // The list narrows to the one call.
    await expect.poll(() => rowsOf(page, 'model/demo/echo').count()).toBe(0);
    await rowsOf(page, 'model/two').getByRole('button').press('Enter');
    const drawer = page.getByRole('dialog');
    await drawer.getByRole('button', { name: 'attempt 1' }).waitFor();
    await drawer.getByRole('button', { name: 'attempt 2' }).waitFor();
    // The failed attempt is opened from the start.
    await drawer.getByText('no capacity today').waitFor();
    expect(await drawer.textContent()).toContain('503');
    expect(await findBarriers(page)).toEqual([]);
    // A list never carries contents or attempts, and no request is made twice.
    const lists = visit.requests.filter((request) => request.startsWith('GET /api/runs?'));
    expect(lists.length).toBe(2);
    await page.reload();
    await page.getByRole('dialog').getByText('no capacity today').waitFor();
    expect(visit.faults).toEqual([]);
  });

  it('shows two attempts of a call whose vendor was killed in the middle of it, and the caller sees success', async () => {
    const vendor = spawn(node, ['-e', vendorProgram], { stdio: ['ignore', 'pipe', 'inherit'] });
    try {
      const port = String((await once(vendor.stdout, 'data'))[0]).trim();
      const options = { base_url: `http://127.0.0.1:${port}` };
      await gateway.as('admin', 'POST', '/api/providers', { name: 'mortal', spec: { kind: 'openai-compatible', options } });
      const deployments = [
        { provider: 'mortal', model: 'first', tier: 0 },
        { provider: 'healthy', model: 'second', tier: 1 },
      ];
      await gateway.as('admin', 'POST', '/api/models', { name: 'killed', spec: { deployments, retry: { same: 0 } } });
      const asked = once(vendor.stdout, 'data');
      const answer = gateway.as('admin', 'POST', '/v1/chat/completions', { model: 'killed', messages: [{ role: 'user', content: 'hi' }] });
      await asked;
      vendor.kill('SIGKILL');
      const { status, text, headers } = await answer;
      expect(status, text).toBe(200);
      await booked(headers.get('x-pailou-trace-id'));
    } finally {
      vendor.kill('SIGKILL');
    }
    await using visit = await browser.visit(gateway.url, 'admin', '/console/calls?capability=model/killed');
    const { page } = visit;
    await rowsOf(page, 'model/killed').getByRole('button').press('Enter');
    const drawer = page.getByRole('dialog');
    await drawer.getByRole('button', { name: 'attempt 1' }).waitFor();
    await drawer.getByRole('button', { name: 'attempt 2' }).waitFor();
    expect(await rowsOf(page, 'model/killed').count()).toBe(1);
    expect(visit.faults).toEqual([]);
  });

  it('shows new calls by itself while it is live: from one stream, and by asking again while that is refused', async () => {
    await using visit = await browser.visit(gateway.url, 'admin', '/console/calls?capability=model/demo/slow');
    const { page } = visit;
    await page.getByText('No call matches these filters.').waitFor();
    // From here on the list alone would never show a call.
    await page.route('**/api/runs?*', (route) => route.fulfill({ json: { data: [], next: null } }));
    const opened = page.waitForResponse((answer) => answer.url().includes('/api/runs/stream'));
    await page.getByRole('switch', { name: 'Live' }).press('Space');
    expect((await opened).status()).toBe(200);
    await chat('demo/slow');
    await rowsOf(page, 'model/demo/slow').waitFor();
    expect(visit.requests.filter((request) => request.startsWith('GET /api/runs/stream?'))).toHaveLength(1);
    await page.unroute('**/api/runs?*');

    await page.route('**/api/runs/stream*', (route) => route.fulfill({ status: 429, json: {} }));
    await page.reload();
    await rowsOf(page, 'model/demo/slow').waitFor();
    await chat('demo/slow');
    await expect.poll(() => rowsOf(page, 'model/demo/slow').count()).toBe(2);
    expect(visit.faults).toEqual([]);
  });

  it('has the newest page alone while it is live', async () => {
    for (let batch = 0; batch < 11; batch++) await Promise.all(Array.from({ length: 10 }, () => chat('demo/echo')));
    await eventually(
      () => gateway.as('admin', 'GET', '/api/runs?capability=model/demo/echo&limit=101'),
      ({ json }) => json.data.length === 101,
    );
    await using visit = await browser.visit(gateway.url, 'admin', '/console/calls?capability=model/demo/echo');
    const { page } = visit;
    await page.getByRole('button', { name: 'Load more' }).waitFor();
    await page.getByRole('switch', { name: 'Live' }).press('Space');
    await page.getByRole('button', { name: 'Load more' }).waitFor({ state: 'detached' });
    await rowsOf(page, 'model/demo/echo').first().waitFor();
    expect(visit.requests.filter((request) => request.includes('after='))).toEqual([]);
    expect(visit.faults).toEqual([]);
  });

  it('shows people their own calls, without what vendors said', async () => {
    await using visit = await browser.visit(gateway.url, 'user', '/console/calls');
    const { page } = visit;
    await rowsOf(page, 'model/demo/echo').first().waitFor();
    expect(await rowsOf(page, 'model/two').count()).toBe(0);
    expect(await page.getByLabel('Person').count()).toBe(0);
  });

  it('is Chinese to the last word, without barriers, on a phone too', async () => {
    for (const [theme, width] of [
      ['dark', 1_280],
      ['light', 390],
    ] as const) {
      await using visit = await browser.visit(gateway.url, 'admin', '/console/calls?capability=model/two', {
        language: 'zh',
        theme,
        width,
      });
      const { page } = visit;
      await rowsOf(page, 'model/two').getByRole('button').click();
      await page.getByText('厂商的原始返回').waitFor();
      expect(await findLatinWords(page)).toEqual([]);
      expect(await findBarriers(page)).toEqual([]);
      expect(await page.evaluate('document.documentElement.scrollWidth - document.documentElement.clientWidth')).toBe(0);
    }
  });
});
