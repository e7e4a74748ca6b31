/** Alerts of budgets over two nodes: processes of their own on one PostgreSQL, each with its own memory. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databaseKinds, postgresUrl, type TestDatabase } from '../storage/databases.ts';
import { eventually, startGateway, startProcess, type TestGateway } from './gateway.ts';
import { startVendor, type Vendor } from './vendor.ts';
import { startWebhookReceiver, type WebhookReceiver } from './webhook-receiver.ts';

describe.skipIf(postgresUrl === undefined)('alerts of budgets over two nodes on PostgreSQL', () => {
  let database: TestDatabase;
  let identity: TestGateway;
  let vendor: Vendor;
  let receiver: WebhookReceiver;
  let nodes: TestGateway[] = [];

  beforeAll(async () => {
    const kind = databaseKinds.find(({ name }) => name === 'PostgreSQL');
    if (kind === undefined) throw new Error('no PostgreSQL');
    database = await kind.createMigrated();
    identity = await startGateway();
    vendor = await startVendor();
    receiver = await startWebhookReceiver();
    const env = {
      PAILOU_MODE: 'production',
      PAILOU_OAUTH_ISSUER: identity.gateway.issuer,
      PAILOU_OAUTH_PRESET: 'generic',
      PAILOU_OAUTH_AUDIENCE: identity.url,
      PAILOU_DATABASE_URL: database.url ?? '',
      PAILOU_MASTER_KEY: randomBytes(32).toString('base64'),
      PAILOU_OUTBOUND_ALLOW: '127.0.0.0/8',
    };
    nodes = await Promise.all([startGateway(env, startProcess), startGateway(env, startProcess)]);
    const options = { base_url: vendor.url };
    await node(0).as('admin', 'POST', '/api/providers', { name: 'vendor', spec: { kind: 'openai-compatible', options } });
    // Two output tokens cost 0.01.
    const price = { currency: 'USD', input: 0, output: 5_000 };
    await node(0).as('admin', 'POST', '/api/models', {
      name: 'shared',
      spec: { deployments: [{ provider: 'vendor', model: 'up', price }] },
    });
  });

  afterAll(async () => {
    for (const each of nodes) await each[Symbol.asyncDispose]();
    await identity[Symbol.asyncDispose]();
    await vendor[Symbol.asyncDispose]();
    await receiver[Symbol.asyncDispose]();
    await database[Symbol.asyncDispose]();
  });

  const node = (index: number): TestGateway => nodes[index % 2] as TestGateway;
  const limit = (url: string) => ({
    subject_type: 'tenant',
    capability: 'model/shared',
    spend: { currency: 'USD', per_month: '0.10', alerts: { url, secret: receiver.secret } },
  });
  const ask = (index: number) =>
    node(index).as('admin', 'POST', '/v1/chat/completions', {
      model: 'shared',
      max_tokens: 2,
      messages: [{ role: 'user', content: 'Hi' }],
    });

  it('are sent once each for the spend of both nodes, and not to an address that the operator does not allow', async () => {
    const refused = await node(0).as('admin', 'POST', '/api/limits', { name: 'both', spec: limit('https://10.1.2.3/') });
    expect(refused.json.error).toMatchObject({ param: 'spec.spend.alerts.url', message: expect.stringContaining('private') });
    const saved = await node(0).as('admin', 'POST', '/api/limits', { name: 'both', spec: limit(receiver.url) });
    expect(saved.status, saved.text).toBe(201);
    const revision = Number(saved.headers.get('x-pailou-revision'));
    await eventually(
      async () => Number((await node(1).as('admin', 'GET', '/api/me')).headers.get('x-pailou-revision')),
      (found) => found >= revision,
    );
    // The first delivery of each group fails, so that the other node could send it too.
    receiver.failures = 1;
    const answers = await Promise.all(Array.from({ length: 10 }, (_each, index) => ask(index)));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200));
    await eventually(
      async () => receiver.accepted.length,
      (found) => found >= 3,
      20_000,
    );
    // Both nodes have checked again when each counts another call.
    await Promise.all([ask(0), ask(1)]);
    await eventually(
      async () =>
        database.open().then(async (open) => {
          const rows = await open.query.selectFrom('llm_budget_alert').select(['threshold', 'next_at']).orderBy('threshold').execute();
          await open.close();
          return rows;
        }),
      (rows) => rows.length === 3 && rows.every(({ next_at: next }) => next === null),
    );
    expect(receiver.accepted.map(({ body }) => body.data.threshold_percent).toSorted((one, other) => one - other)).toEqual([50, 80, 100]);
    expect(receiver.attempts).toHaveLength(4);
    expect(receiver.attempts.every(({ isSigned }) => isSigned)).toBe(true);
    expect(new Set(receiver.accepted.map(({ id }) => id)).size).toBe(3);
  });
});
