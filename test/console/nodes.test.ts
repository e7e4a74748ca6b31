/** Two nodes on one database, in Chromium: a change on one reaches the other while its streams go on, and a lost right takes effect. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databaseKinds, postgresUrl } from '../storage/databases.ts';
import { eventually, startGateway, startProcess, type TestGateway } from '../whole/gateway.ts';
import { chunks, startVendor, type Vendor } from '../whole/vendor.ts';
import { buildConsole } from './built-console.ts';
import { chromiumPath, startChromium, type TestBrowser } from './chromium.ts';

const messages = [{ role: 'user', content: 'Hello' }];

describe.skipIf(chromiumPath === undefined || postgresUrl === undefined)('two nodes on PostgreSQL, in Chromium', () => {
  const owned = new AsyncDisposableStack();
  let first: TestGateway;
  let second: TestGateway;
  let vendor: Vendor;
  let browser: TestBrowser;
  /** Ends the stream that is open. */
  let finish: () => void = () => undefined;

  beforeAll(async () => {
    buildConsole();
    const kind = databaseKinds.find(({ name }) => name === 'PostgreSQL');
    if (kind === undefined) throw new Error('no PostgreSQL');
    const database = owned.use(await kind.createMigrated());
    vendor = owned.use(await startVendor());
    vendor.behave((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const [begin = '', word = '', ...rest] = chunks(['word ']);
      response.write(begin + word);
      finish = () => response.end(word + rest.join(''));
    });
    const shared = {
      PAILOU_DATABASE_URL: database.url ?? '',
      PAILOU_MASTER_KEY: randomBytes(32).toString('base64'),
      PAILOU_OUTBOUND_ALLOW: '127.0.0.0/8',
    };
    first = owned.use(await startGateway(shared, startProcess));
    const issuer = {
      PAILOU_MODE: 'production',
      PAILOU_OAUTH_ISSUER: first.gateway.issuer,
      PAILOU_OAUTH_PRESET: 'generic',
      PAILOU_OAUTH_AUDIENCE: first.url,
      PAILOU_PUBLIC_URL: first.url,
    };
    second = owned.use(await startGateway({ ...shared, ...issuer }, startProcess));
    browser = owned.use(await startChromium());
    const spec = { kind: 'openai-compatible', options: { base_url: vendor.url } };
    await first.as('admin', 'POST', '/api/providers', { name: 'v', spec });
    const deployments = ['a', 'b'].map((model) => ({ provider: 'v', model, weight: 1 }));
    await first.as('admin', 'POST', '/api/models', { name: 'spread', spec: { deployments } });
  });
  afterAll(() => owned.disposeAsync());

  it('changes a weight on one node: the other follows, its stream is unbroken, and Health shows both revisions', async () => {
    const token = await first.token('admin');
    const stream = await eventually(
      () =>
        fetch(`${second.url}/v1/chat/completions`, {
          method: 'POST',
          headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
          body: JSON.stringify({ model: 'spread', stream: true, messages }),
        }),
      ({ status }) => status === 200,
    );
    const reader = stream.body?.pipeThrough(new TextDecoderStream()).getReader();
    let received = (await reader?.read())?.value ?? '';

    await using visit = await browser.visit(first.url, 'admin', '/console/models?open=spread');
    const { page } = visit;
    await page.getByLabel('Weight', { exact: true }).first().fill('9');
    await page.getByRole('button', { name: 'Save', exact: true }).press('Enter');
    await page.getByText('spread is saved').first().waitFor();
    const changed = (await first.as('admin', 'GET', '/api/models/spread')).json.revision as number;
    const served = async (): Promise<number> =>
      Number((await fetch(`${second.url}/v1/models`, { headers: { authorization: `Bearer ${token}` } })).headers.get('x-pailou-revision'));
    expect(await eventually(served, (revision) => revision >= changed)).toBe(changed);

    finish();
    for (;;) {
      const part = await reader?.read();
      if (part === undefined || part.done) break;
      received += part.value;
    }
    expect(received.endsWith('data: [DONE]\n\n')).toBe(true);

    await page.goto(`${first.url}/console/health`);
    const nodes = page.getByRole('region', { name: 'Nodes' });
    await eventually(
      () => nodes.getByText(String(changed), { exact: true }).count(),
      (count) => count === 2,
    );
    expect(visit.faults).toEqual([]);
  });

  it('sends the calls of one node to those who follow them at the other', async () => {
    const authorization = `Bearer ${await first.token('admin')}`;
    const over = new AbortController();
    const headers = { authorization, accept: 'text/event-stream' };
    const live = await fetch(`${first.url}/api/runs/stream?model=spread`, { headers, signal: over.signal });
    let heard = '';
    const listen = async (): Promise<void> => {
      for await (const part of live.body?.pipeThrough(new TextDecoderStream()) ?? []) heard += part;
    };
    const listening = listen().catch(() => {});
    const call = async (): Promise<string> => {
      const answer = await fetch(`${second.url}/v1/chat/completions`, {
        method: 'POST',
        headers: { authorization, 'content-type': 'application/json' },
        body: JSON.stringify({ model: 'spread', stream: true, messages }),
      });
      finish();
      await answer.text();
      return heard;
    };
    // The other node notifies from the moment at which it learns of the follower.
    await eventually(call, (text) => text.includes('event: run\ndata: ') && text.includes('"capability":"model/spread"'));
    over.abort();
    await listening;
  });
});
