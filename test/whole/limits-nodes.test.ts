/** Limits over several nodes: processes of their own on one PostgreSQL and one Redis, behind a proxy that can be broken. */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type BreakableProxy, startBreakableProxy } from '../storage/breakable-proxy.ts';
import { databaseKinds, postgresUrl, type TestDatabase } from '../storage/databases.ts';
import { type RedisDatabase, redisUrl, takeRedisDatabase } from '../storage/redis-database.ts';
import { eventually, startGateway, startProcess, type TestGateway } from './gateway.ts';
import { answerOk, startVendor, type Vendor } from './vendor.ts';

describe.skipIf(postgresUrl === undefined || redisUrl === undefined)('limits over two nodes on PostgreSQL and Redis', () => {
  let database: TestDatabase;
  let identity: TestGateway;
  let vendor: Vendor;
  let proxy: BreakableProxy;
  let nodes: TestGateway[];
  let redis: RedisDatabase;

  const masterKey = randomBytes(32).toString('base64');
  const start = (env: Record<string, string>): Promise<TestGateway> => {
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
        PAILOU_REDIS_TIMEOUT_MS: '5000',
        ...env,
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
    redis = await takeRedisDatabase();
    const { hostname, port } = new URL(redis.url);
    proxy = await startBreakableProxy({ host: hostname, port: Number(port) });
    nodes = await Promise.all([start({}), start({ PAILOU_WITHOUT_REDIS: 'refuse' })]);
    const [first] = nodes;
    await first?.as('admin', 'POST', '/api/providers', {
      name: 'vendor',
      spec: { kind: 'openai-compatible', options: { base_url: vendor.url } },
    });
    for (const name of ['one', 'two', 'three']) {
      const price = { currency: 'USD', input: 0, output: 5_000 };
      await first?.as('admin', 'POST', '/api/models', { name, spec: { deployments: [{ provider: 'vendor', model: 'up', price }] } });
    }
  });

  afterAll(async () => {
    for (const node of nodes) await node[Symbol.asyncDispose]();
    await identity[Symbol.asyncDispose]();
    await vendor[Symbol.asyncDispose]();
    await proxy[Symbol.asyncDispose]();
    await redis[Symbol.asyncDispose]();
    await database[Symbol.asyncDispose]();
  });

  const node = (index: number): TestGateway => nodes[index % 2] as TestGateway;
  const ask = (index: number, model: string, more: object = {}) =>
    node(index).as('developer', 'POST', '/v1/chat/completions', {
      model,
      max_tokens: 2,
      messages: [{ role: 'user', content: 'Hi' }],
      ...more,
    });
  /** Resolves with the id of the row when the change is live on both nodes. */
  const limit = async (name: string, spec: object): Promise<string> => {
    const made = await node(0).as('admin', 'POST', '/api/limits', { name, spec });
    expect(made.status, made.text).toBe(201);
    const revision = Number(made.headers.get('x-pailou-revision'));
    await eventually(
      () => node(1).as('admin', 'GET', '/api/me'),
      ({ headers }) => Number(headers.get('x-pailou-revision')) >= revision,
    );
    return String(made.json.id);
  };

  it('a budget of 1.00 is not overrun by 200 parallel calls of 0.01 over both nodes', async () => {
    await limit('purse', { subject_type: 'tenant', capability: 'model/one', spend: { currency: 'USD', per_day: 1 } });
    vendor.behave(async (request, response) => {
      await sleep(20);
      answerOk(request, response);
    });
    const asked = vendor.requests.length;
    const answers = await Promise.all(Array.from({ length: 200 }, (_, index) => ask(index, 'one')));
    const good = answers.filter(({ status }) => status === 200).length;
    expect(vendor.requests.length - asked).toBe(good);
    expect(good).toBe(100);
    const codes = answers.filter(({ status }) => status !== 200).map(({ json }) => json.error.code);
    expect(new Set(codes)).toEqual(new Set(['budget_exhausted']));
    expect(statusesOf(await Promise.all([ask(0, 'one'), ask(1, 'one')]))).toEqual([429, 429]);
  });

  it('counts that Redis has lost are restored from the ledger when the connection returns', async () => {
    await redis.client.flushDb();
    await proxy.disconnect();
    await proxy.restore();
    const asked = vendor.requests.length;
    await eventually(
      async () => statusesOf(await Promise.all([ask(0, 'one'), ask(1, 'one')])),
      ([first, second]) => first === 429 && second === 429,
      10_000,
    );
    // One or two calls may pass before the ledger was read; without it a whole budget would.
    expect(vendor.requests.length - asked).toBeLessThan(20);
  });

  it('without Redis a node counts alone from the last known state, or refuses, as configured', async () => {
    await limit('small', { subject_type: 'tenant', capability: 'model/two', spend: { currency: 'USD', per_day: 0.06 } });
    for (let call = 0; call < 2; call++) expect((await ask(0, 'two')).status).toBe(200);
    await proxy.disconnect();
    try {
      // The first call spent 0.01 and the second makes it 0.02; the node knows at least the first.
      const local = [];
      for (let call = 0; call < 8; call++) local.push((await ask(0, 'two')).status);
      expect(local.filter((status) => status === 200).length).toBeGreaterThanOrEqual(4);
      expect(local.filter((status) => status === 200).length).toBeLessThanOrEqual(5);
      const refused = await ask(1, 'two');
      expect(refused).toMatchObject({ status: 503, json: { error: { code: 'limits_unavailable' } } });
      expect(refused.headers.get('retry-after')).toBe('5');
      await node(0).as('admin', 'DELETE', '/api/limits/purse');
      expect((await ask(0, 'three')).status, 'a model without a limit needs no Redis').toBe(200);
    } finally {
      await proxy.restore();
    }
    // Spend without Redis is added when Redis returns, so nothing is left for the other node either.
    await eventually(
      async () => (await ask(1, 'two')).json.error?.code,
      (code) => code === 'budget_exhausted',
      15_000,
    );
  });

  it('reservations do not count as spent when Redis becomes unreachable', async () => {
    const id = await limit('wide', { subject_type: 'tenant', capability: 'model/three', spend: { currency: 'USD', per_day: 0.06 } });
    // The earlier spend of a new limit is read from the ledger in the background, by each node.
    await eventually(
      async () => {
        const [counter] = await redis.client.keys(`pailou:*${id}*day*`);
        return counter === undefined ? null : redis.client.hGet(counter, 'settled');
      },
      (settled) => settled === '10000',
    );
    const arrived = Promise.withResolvers<void>();
    const answered = Promise.withResolvers<void>();
    vendor.behave(async (request, response) => {
      if (request.body.max_tokens === 8) {
        arrived.resolve();
        await answered.promise;
      }
      answerOk(request, response);
    });
    const long = ask(0, 'three', { max_tokens: 8 });
    await arrived.promise;
    expect((await ask(0, 'three')).status, 'beside 40,000 that are set aside').toBe(200);
    expect((await ask(0, 'three')).status, 'beside 10,000 more').toBe(429);
    answered.resolve();
    expect((await long).status).toBe(200);
    vendor.behave((request, response) => answerOk(request, response));
    await proxy.disconnect();
    try {
      expect((await ask(0, 'three', { max_tokens: 3 })).status, '30,000 were spent, one call before these among it').toBe(200);
    } finally {
      await proxy.restore();
      await node(0).as('admin', 'DELETE', '/api/limits/wide');
    }
    await eventually(
      async () => (await ask(1, 'one')).status,
      (status) => status !== 503,
      15_000,
    );
  });

  it('a hanging Redis holds no call beyond the timeout', async () => {
    await limit('calls', { subject_type: 'user', capability: 'model/three', requests_per_minute: 1_000, concurrent_calls: 1_000 });
    expect((await ask(0, 'three')).headers.get('x-ratelimit-remaining-requests')).toBe('999');
    proxy.stall();
    try {
      // Redis answers nothing until the end of this block.
      expect((await ask(0, 'three')).status).toBe(200);
      expect((await ask(1, 'three')).status).toBe(503);
    } finally {
      await proxy.restore();
    }
    await eventually(
      async () => (await ask(1, 'three')).status,
      (status) => status === 200,
      15_000,
    );
  });
});

const statusesOf = (answers: readonly { status: number }[]): number[] => answers.map(({ status }) => status);
