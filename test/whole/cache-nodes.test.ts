/** Cached answers over several nodes: processes of their own on one PostgreSQL and one Redis, behind a proxy that can be broken. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BreakableProxy, startBreakableProxy } from '../storage/breakable-proxy.ts';
import { databaseKinds, postgresUrl, type TestDatabase } from '../storage/databases.ts';
import { type RedisDatabase, redisUrl, takeRedisDatabase } from '../storage/redis-database.ts';
import { type Answer, eventually, startGateway, startProcess, type TestGateway } from './gateway.ts';
import { answerOk, startVendor, type Vendor } from './vendor.ts';

describe.skipIf(postgresUrl === undefined || redisUrl === undefined)('cached answers of two nodes on PostgreSQL and Redis', () => {
  let database: TestDatabase;
  let identity: TestGateway;
  let vendor: Vendor;
  let proxy: BreakableProxy;
  let nodes: TestGateway[];
  let redis: RedisDatabase;
  const masterKey = randomBytes(32).toString('base64');
  const question = 'Where does the red lantern hang?';
  const words = 'Under the seventh gate.';

  const start = (): Promise<TestGateway> => {
    const through = new URL(redis.url);
    through.host = `127.0.0.1:${proxy.port}`;
    return startGateway(
      {
        PAILOU_MODE: 'production',
        PAILOU_OAUTH_ISSUER: identity.gateway.issuer,
        PAILOU_OAUTH_PRESET: 'generic',
        PAILOU_OAUTH_AUDIENCE: identity.url,
        PAILOU_DATABASE_URL: database.url ?? '',
        PAILOU_MASTER_KEY: masterKey,
        PAILOU_OUTBOUND_ALLOW: '127.0.0.0/8',
        PAILOU_LOG_LEVEL: 'error',
        PAILOU_REDIS_URL: through.href,
        // A busy machine is no Redis that hangs.
        PAILOU_REDIS_TIMEOUT_MS: '10000',
      },
      startProcess,
    );
  };

  beforeAll(async () => {
    const kind = databaseKinds.find(({ name }) => name === 'PostgreSQL');
    if (kind === undefined) throw new Error('no PostgreSQL');
    database = await kind.createMigrated();
    identity = await startGateway();
    vendor = await startVendor();
    vendor.behave((request, response) => answerOk(request, response, words));
    redis = await takeRedisDatabase();
    const { hostname, port } = new URL(redis.url);
    proxy = await startBreakableProxy({ host: hostname, port: Number(port) });
    nodes = await Promise.all([start(), start()]);
    await node(0).as('admin', 'POST', '/api/providers', {
      name: 'vendor',
      spec: { kind: 'openai-compatible', options: { base_url: vendor.url } },
    });
    await change('POST', '/api/models', { name: 'faq', spec });
  });

  afterAll(async () => {
    for (const each of nodes) await each[Symbol.asyncDispose]();
    await identity[Symbol.asyncDispose]();
    await vendor[Symbol.asyncDispose]();
    await proxy[Symbol.asyncDispose]();
    await redis[Symbol.asyncDispose]();
    await database[Symbol.asyncDispose]();
  });

  const spec = { deployments: [{ provider: 'vendor', model: 'up' }], cache: { shared_by: 'tenant' } };
  const node = (index: number): TestGateway => nodes[index] as TestGateway;
  const ask = (index: number, content: string = question, more: object = {}): Promise<Answer> =>
    node(index).as('developer', 'POST', '/v1/chat/completions', { model: 'faq', messages: [{ role: 'user', content }], ...more });
  const mark = async (answer: Promise<Answer>): Promise<string | null> => (await answer).headers.get('x-pailou-cache');
  /** Writes to the cache are not awaited, so this retries. */
  const storedKeys = (count: number): Promise<string[]> =>
    eventually(
      () => redis.client.keys('pailou:answer:*'),
      (names) => names.length === count,
    );
  /** Resolves when the change is live on both nodes. */
  const change = async (method: string, path: string, body: object): Promise<void> => {
    const made = await node(0).as('admin', method, path, body);
    expect(made.status, made.text).toBeLessThan(300);
    const revision = Number(made.headers.get('x-pailou-revision'));
    await eventually(
      () => node(1).as('admin', 'GET', '/api/me'),
      ({ headers }) => Number(headers.get('x-pailou-revision')) >= revision,
    );
  };

  it('are returned by the other node, whole or as a stream', async () => {
    expect(await mark(ask(0))).toBe('miss');
    await storedKeys(1);
    const asked = vendor.requests.length;
    expect(asked).toBe(1);
    const streamed = await ask(1, question, { stream: true });
    expect(streamed.headers.get('x-pailou-cache')).toBe('hit');
    expect(streamed.text).toContain('data: [DONE]');
    expect((await ask(1)).json.choices[0].message.content).toBe(words);
    expect(vendor.requests.length).toBe(asked);
  });

  it('are sealed in Redis: neither text nor names nor people can be read there', async () => {
    const names = await redis.client.keys('pailou:answer:*');
    expect(names.length).toBeGreaterThan(0);
    for (const name of names) {
      const value = (await redis.client.get(name)) ?? '';
      const opened = value.split('.').map((part) => Buffer.from(part, 'base64url').toString('latin1'));
      for (const text of [name, value, ...opened]) expect(text).not.toMatch(/lantern|seventh|gate|developer|default|faq|vendor/);
      expect(await redis.client.ttl(name)).toBeGreaterThan(3_000);
    }
  });

  it('are dropped by both when one of them changes the model', async () => {
    await change('PUT', '/api/models/faq', { spec: { ...spec, description: 'edited' } });
    expect(await mark(ask(1))).toBe('miss');
    await storedKeys(2);
    expect(await mark(ask(0))).toBe('hit');
  });

  it('are misses while Redis is unreachable or hangs, and hits when it is back', async () => {
    for (const harm of ['disconnect', 'stall'] as const) {
      await proxy[harm]();
      for (let call = 0; call < 3; call++) {
        const answer = await ask(call % 2);
        expect([answer.status, answer.headers.get('x-pailou-cache')], harm).toEqual([200, 'miss']);
      }
      await proxy.restore();
      await eventually(
        async () => [await mark(ask(0)), await mark(ask(1))].join(' '),
        (states) => states === 'hit hit',
        15_000,
      );
    }
  });
});
