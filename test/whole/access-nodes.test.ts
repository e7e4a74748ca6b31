/** Rights that end on one node end on the other: sign-outs, deleted things, skills with their own list, keys; and a person's calls are counted together. */
import { randomBytes, randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { importJWK, type JWK, SignJWT } from 'jose';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { permissionCodes, type Role } from '../../src/types/access.ts';
import { databaseKinds, postgresUrl } from '../storage/databases.ts';
import { redisUrl, takeRedisDatabase } from '../storage/redis-database.ts';
import { TestBrowser } from './browser.ts';
import { type Answer, eventually, startGateway, startProcess, type TestGateway } from './gateway.ts';
import { chunks, startVendor } from './vendor.ts';

describe.skipIf(postgresUrl === undefined || redisUrl === undefined)('two nodes on PostgreSQL and Redis', () => {
  const owned = new AsyncDisposableStack();
  let identity: TestGateway;
  let nodes: readonly [TestGateway, TestGateway];

  beforeAll(async () => {
    const kind = databaseKinds.find(({ name }) => name === 'PostgreSQL');
    if (kind === undefined) throw new Error('no PostgreSQL');
    const database = owned.use(await kind.createMigrated());
    const redis = owned.use(await takeRedisDatabase());
    identity = owned.use(await startGateway());
    const vendor = owned.use(await startVendor());
    vendor.behave((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const [first = '', word = ''] = chunks(['word ']);
      response.write(first);
      const timer = setInterval(() => response.write(word), 50);
      response.on('close', () => clearInterval(timer));
    });
    const env = {
      PAILOU_MODE: 'production',
      PAILOU_OAUTH_ISSUER: identity.gateway.issuer,
      PAILOU_OAUTH_PRESET: 'generic',
      PAILOU_OAUTH_AUDIENCE: identity.url,
      PAILOU_OAUTH_CLIENT_ID: 'pailou-browser',
      PAILOU_OAUTH_CLIENT_SECRET: 'pailou-browser',
      PAILOU_OAUTH_SCOPE: `openid profile ${permissionCodes.join(' ')}`,
      PAILOU_PUBLIC_URL: identity.url,
      PAILOU_DATABASE_URL: database.url ?? '',
      PAILOU_MASTER_KEY: randomBytes(32).toString('base64'),
      PAILOU_REDIS_URL: redis.url,
      PAILOU_OUTBOUND_ALLOW: '127.0.0.0/8',
      PAILOU_RECHECK_SECONDS: '1',
      PAILOU_LOG_LEVEL: 'error',
    };
    // One after the other, so that they do not migrate at once.
    nodes = [owned.use(await startGateway(env, startProcess)), owned.use(await startGateway(env, startProcess))];
    for (const role of ['developer', 'user'] as const) await as(0, role, 'GET', '/api/me');
    await must(0, 'admin', 'POST', '/api/providers', { name: 'v', spec: { kind: 'openai-compatible', options: { base_url: vendor.url } } });
    const lent = { subject_type: 'role', subject: 'developer', capability: 'provider/v', action: 'use' };
    await must(0, 'admin', 'POST', '/api/grants', { spec: lent });
    await must(0, 'admin', 'POST', '/api/models', { name: 'endless', spec: endless });
    await everywhere();
  });
  afterAll(() => owned.disposeAsync(), 60_000);

  const endless = { deployments: [{ provider: 'v', model: 'm' }] };
  const chat = (model: string) => ({ model, stream: true, messages: [{ role: 'user', content: 'Hi' }] });
  const using = (node: 0 | 1, credential: string, method: string, path: string, body?: unknown): Promise<Answer> =>
    nodes[node].as(null, method, path, body, { authorization: `Bearer ${credential}` });
  const as = async (node: 0 | 1, role: Role, method: string, path: string, body?: unknown): Promise<Answer> =>
    using(node, await identity.token(role), method, path, body);
  const must = async (...args: Parameters<typeof as>): Promise<Answer> => {
    const answer = await as(...args);
    expect(answer.status, answer.text).toBeLessThan(300);
    return answer;
  };
  /** Waits until both nodes serve the same revision. */
  const everywhere = () =>
    eventually(
      () =>
        Promise.all(([0, 1] as const).map(async (node) => (await as(node, 'admin', 'GET', '/api/me')).headers.get('x-pailou-revision'))),
      ([one, other]) => one === other,
    );
  /** A stream that goes on until it is ended. */
  const open = async (node: 0 | 1, credential: string, model: string): Promise<Response> => {
    const response = await fetch(`${nodes[node].url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${credential}`, 'content-type': 'application/json' },
      body: JSON.stringify(chat(model)),
    });
    expect(response.status).toBe(200);
    return response;
  };

  it('a person who signs out at the service is signed out on the node that was not notified, and what is open there ends', async () => {
    const browser = new TestBrowser();
    const page = await browser.follow(`${nodes[0].url}/auth/login`, (url) => url.includes('/interaction/'));
    const chosen = await browser.go(page.url, { method: 'POST', body: new URLSearchParams({ person: 'developer' }) });
    const back = await browser.follow(new URL(chosen.headers.get('location') ?? '', page.url).href, (url) =>
      url.includes('/auth/callback'),
    );
    expect((await browser.go(`${nodes[0].url}/auth/callback${new URL(back.url).search}`)).status).toBe(303);
    const me = async (): Promise<number> => (await browser.go(`${nodes[0].url}/api/me`)).status;
    expect(await me()).toBe(200);
    const { csrf } = (await (await browser.go(`${nodes[0].url}/auth/session`)).json()) as { csrf: string };
    const stream = await browser.go(`${nodes[0].url}/v1/chat/completions`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', 'x-pailou-csrf': csrf },
      body: JSON.stringify(chat('endless')),
    });
    expect(stream.status).toBe(200);

    const key = JSON.parse(await readFile(join(identity.dataDir, 'development-identity.json'), 'utf8')) as JWK;
    const token = await new SignJWT({ events: { 'http://schemas.openid.net/event/backchannel-logout': {} } })
      .setProtectedHeader({ alg: 'ES256', kid: String(key.kid), typ: 'logout+jwt' })
      .setIssuer(identity.gateway.issuer)
      .setSubject('developer')
      .setAudience('pailou-browser')
      .setJti(randomUUID())
      .setIssuedAt()
      .setExpirationTime('2m')
      .sign(await importJWK(key, 'ES256'));
    const sent = await fetch(`${nodes[1].url}/auth/backchannel-logout`, {
      method: 'POST',
      body: new URLSearchParams({ logout_token: token }),
    });
    expect(sent.status).toBe(200);
    await eventually(me, (status) => status === 401);
    expect(await stream.text()).not.toContain('[DONE]');
    const again = await fetch(`${nodes[0].url}/auth/backchannel-logout`, {
      method: 'POST',
      body: new URLSearchParams({ logout_token: token }),
    });
    expect(again.status, 'the token is good once, on all nodes').toBe(400);
  });

  it('a deleted thing takes its grants along on the other, which a new thing of the name does not inherit', async () => {
    await must(0, 'admin', 'POST', '/api/models', { name: 'given', spec: endless });
    const spec = { subject_type: 'user', subject: 'user', capability: 'model/given', action: 'use' };
    await must(0, 'admin', 'POST', '/api/grants', { name: 'to-user', spec });
    await everywhere();
    const stream = await open(1, await identity.token('user'), 'given');
    await must(0, 'admin', 'DELETE', '/api/models/given');
    await everywhere();
    expect(await stream.text(), 'the open call ends').not.toContain('[DONE]');
    await must(1, 'developer', 'POST', '/api/models', { name: 'given', spec: endless });
    await everywhere();
    for (const node of [0, 1] as const) {
      expect((await as(node, 'admin', 'GET', '/api/grants/to-user')).status).toBe(404);
      expect((await as(node, 'user', 'POST', '/v1/chat/completions', chat('given'))).status).toBe(403);
      expect((await as(node, 'user', 'GET', '/v1/models')).text).not.toContain('given');
    }
  });

  it('an allowance to run as itself that is withdrawn on one ends what runs on the other', async () => {
    const skill = { kind: 'prompt', description: 'd', model: 'endless', runs_as: 'skill', options: { instructions: 'Go on.' } };
    await must(0, 'developer', 'POST', '/api/skills', { name: 'own', spec: skill });
    const version = '1.0.0';
    await must(0, 'developer', 'POST', '/api/skills/own/publish', {});
    await must(0, 'admin', 'POST', '/api/skills/own/runs-as', { version });
    await must(0, 'admin', 'POST', '/api/grants', {
      spec: { subject_type: 'user', subject: 'user', capability: 'skill/own', action: 'use' },
    });
    await everywhere();
    const stream = await open(1, await identity.token('user'), 'skill/own');
    await must(0, 'admin', 'POST', '/api/skills/own/runs-as', { version: null });
    expect(await stream.text()).not.toContain('[DONE]');
    await everywhere();
    expect((await as(1, 'user', 'POST', '/v1/chat/completions', chat('skill/own'))).status).toBe(403);
  });

  it('a key that is revoked on one ends on the other, with what it has open', async () => {
    const made = await must(0, 'developer', 'POST', '/api/keys', { title: 'k', permissions: ['llm:model:view', 'llm:model:use'] });
    const { id, key } = made.json as { id: string; key: string };
    await everywhere();
    const stream = await open(1, key, 'endless');
    await must(0, 'developer', 'DELETE', `/api/keys/${id}`);
    expect(await stream.text()).not.toContain('[DONE]');
    await eventually(
      async () => (await using(1, key, 'GET', '/v1/models')).status,
      (status) => status === 401,
    );
  });

  it('with one call at a time, a second call of a person is refused on the other node', async () => {
    const limit = { subject_type: 'user', subject: 'user', concurrent_calls: 1 };
    await must(0, 'admin', 'POST', '/api/limits', { name: 'one-at-a-time', spec: limit });
    await must(0, 'admin', 'POST', '/api/grants', {
      spec: { subject_type: 'user', subject: 'user', capability: 'model/endless', action: 'use' },
    });
    await everywhere();
    const stream = await open(0, await identity.token('user'), 'endless');
    expect((await as(1, 'user', 'POST', '/v1/chat/completions', chat('endless'))).status).toBe(429);
    await stream.body?.cancel();
  });
});
