/** The console at an address of the machine's network: plain http, so without the clipboard and the random numbers of secure pages. */
import { networkInterfaces } from 'node:os';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { freePort, startGateway, type TestGateway } from '../whole/gateway.ts';
import { buildConsole } from './built-console.ts';
import { chromiumPath, startChromium, type TestBrowser } from './chromium.ts';

const address = Object.values(networkInterfaces())
  .flatMap((each) => each ?? [])
  .find(({ family, internal }) => family === 'IPv4' && !internal)?.address;

describe.skipIf(chromiumPath === undefined || address === undefined)('the console at an address of the network, in Chromium', () => {
  let gateway: TestGateway;
  let browser: TestBrowser;
  let url: string;
  beforeAll(async () => {
    buildConsole();
    const port = await freePort();
    url = `http://${address}:${port}`;
    const settings = { PAILOU_HOST: '0.0.0.0', PAILOU_PORT: String(port), PAILOU_PUBLIC_URL: url };
    [gateway, browser] = await Promise.all([startGateway(settings), startChromium()]);
  });
  afterAll(async () => {
    await browser[Symbol.asyncDispose]();
    await gateway[Symbol.asyncDispose]();
  });

  it('signs in, copies a key without the clipboard of secure pages, and the pasted key works', async () => {
    await using visit = await browser.visit(url, 'user', '/console/keys');
    const { page } = visit;
    expect(await page.evaluate('[isSecureContext, typeof navigator.clipboard]')).toEqual([false, 'undefined']);
    await page.getByRole('button', { name: 'Make a key' }).first().press('Enter');
    await page.getByLabel('Purpose').fill('network');
    await page.keyboard.press('Enter');
    const dialog = page.getByRole('dialog').filter({ hasText: 'Your new key' });
    const key = await dialog.getByLabel('Key', { exact: true }).inputValue();
    await dialog.getByRole('button', { name: 'Copy: Key' }).press('Enter');
    await dialog.getByRole('button', { name: 'Copied: Key' }).waitFor();
    await dialog.getByRole('button', { name: 'I have copied it' }).press('Enter');
    // Another page of the browser receives what was copied.
    await page.goto(`${url}/console/calls`);
    const field = page.getByLabel('Model, skill or tool');
    await field.focus();
    await page.keyboard.press('Control+V');
    await expect.poll(() => field.inputValue()).toBe(key);
    const called = await fetch(`${url}/v1/models`, { headers: { authorization: `Bearer ${key}` } });
    expect(called.status).toBe(200);
    expect(visit.faults).toEqual([]);
  });
});
