/** A blocked user loses access on every node within a second. That covers tokens, keys, browser sessions, streams and background runs. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databaseKinds, postgresUrl } from '../storage/databases.ts';
import { TestBrowser } from './browser.ts';
import { type Answer, eventually, startGateway, startProcess, type TestGateway } from './gateway.ts';
import { chunks, startVendor, type Vendor } from './vendor.ts';

type Nodes = { readonly gateways: readonly TestGateway[]; readonly identity: TestGateway };

async function oneNode(owned: AsyncDisposableStack): Promise<Nodes> {
  const gateway = owned.use(await startGateway({ PAILOU_RECHECK_SECONDS: '3600' }));
  return { gateways: [gateway, gateway], identity: gateway };
}

async function twoNodes(owned: AsyncDisposableStack): Promise<Nodes> {
  const kind = databaseKinds.find(({ name }) => name === 'PostgreSQL');
  if (kind === undefined) throw new Error('no PostgreSQL');
  const database = owned.use(await kind.createMigrated());
  const identity = owned.use(await startGateway());
  const env = {
    PAILOU_MODE: 'production',
    PAILOU_OAUTH_ISSUER: identity.gateway.issuer,
    PAILOU_OAUTH_PRESET: 'generic',
    PAILOU_OAUTH_AUDIENCE: identity.url,
    PAILOU_DATABASE_URL: database.url ?? '',
    PAILOU_MASTER_KEY: randomBytes(32).toString('base64'),
    PAILOU_OUTBOUND_ALLOW: '127.0.0.0/8',
    PAILOU_RECHECK_SECONDS: '3600',
    PAILOU_LOG_LEVEL: 'error',
  };
  const first = owned.use(await startGateway(env, startProcess));
  return { gateways: [first, owned.use(await startGateway(env, startProcess))], identity };
}

async function signIn(browser: TestBrowser, gateway: TestGateway, person: string): Promise<void> {
  const page = await browser.follow(`${gateway.url}/auth/login`, (url) => url.includes('/interaction/'));
  const chosen = await browser.go(page.url, { method: 'POST', body: new URLSearchParams({ person }) });
  const back = await browser.follow(new URL(chosen.headers.get('location') ?? '', page.url).href, (url) => url.includes('/auth/callback'));
  expect((await browser.go(back.url)).status).toBe(303);
}

describe.each([
  { name: 'one node on SQLite', start: oneNode, missing: false },
  { name: 'two nodes on PostgreSQL', start: twoNodes, missing: postgresUrl === undefined },
])('a person who is blocked, $name', ({ start, missing }) => {
  const owned = new AsyncDisposableStack();
  let vendor: Vendor;
  let nodes: Nodes;

  const as = async (node: number, role: 'admin' | 'developer' | 'user', method: string, path: string, body?: unknown): Promise<Answer> =>
    withCredential(node, await nodes.identity.token(role), method, path, body);
  const withCredential = (node: number, credential: string, method: string, path: string, body?: unknown): Promise<Answer> =>
    (nodes.gateways[node] as TestGateway).as(null, method, path, body, { authorization: `Bearer ${credential}` });
  const must = async (...args: Parameters<typeof as>): Promise<Answer> => {
    const answer = await as(...args);
    expect(answer.status, answer.text).toBeLessThan(300);
    return answer;
  };
  const chat = { model: 'endless', stream: true, messages: [{ role: 'user', content: 'Hi' }] };

  beforeAll(async () => {
    if (missing) return;
    vendor = owned.use(await startVendor());
    vendor.behave((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const [first = '', word = ''] = chunks(['word ']);
      response.write(first);
      const timer = setInterval(() => response.write(word), 50);
      response.on('close', () => clearInterval(timer));
    });
    nodes = await start(owned);
    await must(0, 'admin', 'POST', '/api/providers', { name: 'v', spec: { kind: 'openai-compatible', options: { base_url: vendor.url } } });
    await must(0, 'admin', 'POST', '/api/models', { name: 'endless', spec: { deployments: [{ provider: 'v', model: 'm' }] } });
    const spec = { kind: 'prompt', description: 'd', model: 'endless', options: { instructions: 'Go on.' } };
    await must(0, 'admin', 'POST', '/api/skills', { name: 'going', spec });
    await eventually(
      async () => (await as(1, 'developer', 'GET', '/v1/skills/going')).status,
      (status) => status === 200,
    );
  });
  afterAll(() => owned.disposeAsync());

  it.skipIf(missing)('is out with token, key, streams and runs in the background, until it is undone', async () => {
    const key = (await must(1, 'developer', 'POST', '/api/keys', {})).json.key as string;
    const stream = (credential: string): Promise<string> =>
      withCredential(1, credential, 'POST', '/v1/chat/completions', chat).then(({ text }) => text);
    await eventually(
      async () => (await withCredential(1, key, 'GET', '/v1/models')).status,
      (status) => status === 200,
    );
    const streams = [stream(await nodes.identity.token('developer')), stream(key)];
    const run = await must(1, 'developer', 'POST', '/v1/skills/going/runs', { input: { text: 'x' }, async: true });
    await eventually(
      async () => vendor.requests.length,
      (count) => count === 3,
    );
    const blocked = await must(0, 'admin', 'POST', '/api/people/developer/block', { reason: 'left the company' });
    expect(blocked.json).toMatchObject({ id: 'developer', blocked: { by: 'admin', reason: 'left the company' } });
    for (const text of await Promise.all(streams)) expect(text).toContain('You are blocked at this gateway');
    await eventually(
      async () => vendor.aborts,
      (aborts) => aborts === 3,
    );
    for (const node of [0, 1])
      for (const credential of [await nodes.identity.token('developer'), key]) {
        const refused = await withCredential(node, credential, 'GET', '/v1/models');
        expect([refused.status, refused.json.error.code]).toEqual([403, 'permission_denied']);
      }
    expect((await as(1, 'user', 'GET', '/v1/models')).status, 'others stay').toBe(200);
    const audit = (await must(0, 'admin', 'GET', '/api/audit?act=block')).json.data;
    expect(audit).toMatchObject([{ actor: 'admin', target: 'person/developer', detail: 'left the company' }]);
    expect((await must(1, 'admin', 'GET', '/api/people/developer')).json.blocked).not.toBeNull();

    await must(1, 'admin', 'POST', '/api/people/developer/unblock');
    const back = async (node: number, credential: string) => (await withCredential(node, credential, 'GET', '/v1/models')).status;
    const developer = await nodes.identity.token('developer');
    await eventually(
      () => Promise.all([back(0, key), back(1, key), back(0, developer), back(1, developer)]),
      (statuses) => statuses.every((status) => status === 200),
    );
    const ended = (await must(0, 'developer', 'GET', `/v1/runs/${run.json.id}`)).json;
    expect(ended).toMatchObject({ status: 'failed', error: { code: 'permission_denied' } });
  });

  it.skipIf(missing)('is blocked only by administrators, never by themselves, and only when their token has been seen', async () => {
    for (const role of ['developer', 'user'] as const) expect((await as(0, role, 'POST', '/api/people/admin/block', {})).status).toBe(403);
    expect((await as(0, 'admin', 'POST', '/api/people/admin/block', {})).json.error.message).toContain('you cannot block yourself');
    expect((await as(0, 'admin', 'POST', '/api/people/nobody/block', {})).status).toBe(404);
    const people = (await must(0, 'admin', 'GET', '/api/people?limit=200')).json.data as { id: string; blocked: unknown }[];
    expect(people.map(({ id }) => id)).toEqual(expect.arrayContaining(['admin', 'developer']));
    expect((await as(0, 'user', 'GET', '/api/people')).status).toBe(403);
  });
});

it('a blocked person stays blocked after a restart', async () => {
  await using gateway = await startGateway();
  await gateway.as('developer', 'GET', '/v1/models');
  await eventually(
    async () => (await gateway.as('admin', 'POST', '/api/people/developer/block', {})).status,
    (status) => status === 200,
  );
  await gateway.gateway.close();
  await using again = await startGateway({ ...gateway.env, PAILOU_DATA_DIR: gateway.dataDir });
  expect((await again.as('developer', 'GET', '/v1/models')).status).toBe(403);
  expect((await again.as('user', 'GET', '/v1/models')).status).toBe(200);
});

it('a blocked person loses the browser session, and must sign in again after the block is removed', async () => {
  await using gateway = await startGateway({ PAILOU_RECHECK_SECONDS: '3600' });
  const browser = new TestBrowser();
  await signIn(browser, gateway, 'user');
  const me = async (): Promise<number> => (await browser.go(`${gateway.url}/api/me`)).status;
  expect(await me()).toBe(200);
  const set = async (act: string): Promise<void> =>
    expect((await gateway.as('admin', 'POST', `/api/people/user/${act}`, {})).status).toBe(200);
  await set('block');
  expect(await me()).not.toBe(200);
  await set('unblock');
  expect(await me()).toBe(401);
});
