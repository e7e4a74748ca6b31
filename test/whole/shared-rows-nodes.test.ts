/** What one tenant shares is withdrawn on one node and closed on the other, with what runs there: processes of their own on one PostgreSQL and one Redis. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databaseKinds, postgresUrl } from '../storage/databases.ts';
import { redisUrl, takeRedisDatabase } from '../storage/redis-database.ts';
import { chiefOf, type Companies, type Person, startCompanies } from './companies.ts';
import { type Answer, eventually, startGateway, startProcess, type TestGateway } from './gateway.ts';
import { chunks, startVendor, type Vendor } from './vendor.ts';

const owner = chiefOf('head-office');
const admin = chiefOf('branch');
const user: Person = { subject: 'branch-user', tenant: 'branch', roles: ['user'] };
const ownUser: Person = { subject: 'own-user', tenant: 'head-office', roles: ['user'] };

describe.skipIf(postgresUrl === undefined || redisUrl === undefined)('a shared row over two nodes on PostgreSQL and Redis', () => {
  const owned = new AsyncDisposableStack();
  let companies: Companies;
  let vendor: Vendor;
  let nodes: readonly [TestGateway, TestGateway];

  const as = async (node: 0 | 1, person: Person, method: string, path: string, body?: unknown): Promise<Answer> =>
    nodes[node].as(null, method, path, body, { authorization: `Bearer ${await companies.tokenOf(person)}` });
  const must = async (...args: Parameters<typeof as>): Promise<Answer> => {
    const answer = await as(...args);
    expect(answer.status, answer.text).toBeLessThan(300);
    return answer;
  };
  const revisionOf = async (node: 0 | 1): Promise<number> =>
    Number((await as(node, owner, 'GET', '/api/me')).headers.get('x-pailou-revision'));
  /** Makes a change on the first node, and waits until the second serves it. */
  const change = async (...args: [Person, string, string, unknown?]): Promise<void> => {
    const revision = Number((await must(0, ...args)).headers.get('x-pailou-revision'));
    await eventually(
      () => revisionOf(1),
      (served) => served >= revision,
    );
  };
  const chat = (stream = false) => ({ model: 'shared', stream, messages: [{ role: 'user', content: 'Hi' }] });
  /** A stream that goes on until the gateway ends it. */
  const open = async (node: 0 | 1, person: Person): Promise<Response> => {
    const response = await fetch(`${nodes[node].url}/v1/chat/completions`, {
      method: 'POST',
      headers: { authorization: `Bearer ${await companies.tokenOf(person)}`, 'content-type': 'application/json' },
      body: JSON.stringify(chat(true)),
    });
    expect(response.status).toBe(200);
    return response;
  };

  /** The next parts of a stream, which is then left. */
  const beginningOf = async ({ body }: Response): Promise<string> => {
    const reader = body?.getReader();
    let text = '';
    for (let part = 0; part < 20; part++) text += Buffer.from((await reader?.read())?.value ?? []).toString();
    await reader?.cancel();
    return text;
  };

  beforeAll(async () => {
    const kind = databaseKinds.find(({ name }) => name === 'PostgreSQL');
    if (kind === undefined) throw new Error('no PostgreSQL');
    const database = owned.use(await kind.createMigrated());
    const redis = owned.use(await takeRedisDatabase());
    vendor = owned.use(await startVendor());
    vendor.behave((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      const [first = '', word = ''] = chunks(['word ']);
      response.write(first);
      const timer = setInterval(() => response.write(word), 50);
      response.on('close', () => clearInterval(timer));
    });
    const env = {
      PAILOU_MODE: 'production',
      PAILOU_DATABASE_URL: database.url ?? '',
      PAILOU_MASTER_KEY: randomBytes(32).toString('base64'),
      PAILOU_REDIS_URL: redis.url,
      PAILOU_OUTBOUND_ALLOW: '127.0.0.0/8',
      PAILOU_RECHECK_SECONDS: '1',
    };
    companies = owned.use(await startCompanies(env, startProcess));
    const { PAILOU_DATA_DIR: _folder, PAILOU_PORT: _port, PAILOU_IDENTITY_PORT: _identity, ...same } = companies.gateway.env;
    nodes = [companies.gateway, owned.use(await startGateway(same, startProcess))];
    const options = { base_url: vendor.url };
    await change(owner, 'POST', '/api/providers', { name: 'vendor', spec: { kind: 'openai-compatible', options } });
  });
  afterAll(() => owned.disposeAsync(), 60_000);

  const share = async (): Promise<void> => {
    const spec = { deployments: [{ provider: 'vendor', model: 'up' }], shared_with: ['branch'] };
    await change(owner, 'POST', '/api/models', { name: 'shared', spec });
    const grant = { subject_type: 'role', subject: 'user', capability: 'model/shared', action: 'use' };
    for (const chief of [owner, admin]) await change(chief, 'POST', '/api/grants', { spec: grant });
  };

  const withdrawals: readonly [string, () => Promise<void>, boolean][] = [
    ['withdrawn', () => change(owner, 'PATCH', '/api/models/shared', { spec: { shared_with: [] } }), true],
    ['shared with another tenant instead', () => change(owner, 'PATCH', '/api/models/shared', { spec: { shared_with: ['other'] } }), true],
    ['deleted', () => change(owner, 'DELETE', '/api/models/shared'), false],
  ];

  it.each(withdrawals)(
    '%s on one node, it ends what the other tenant runs on both, and takes no further call',
    async (_how, withdraw, isKept) => {
      await share();
      const streams = [await open(0, user), await open(1, user)];
      const kept = await open(1, ownUser);
      const { aborts } = vendor;
      await withdraw();
      // Live on both: the next call is refused as one of an unknown name.
      for (const node of [0, 1] as const) {
        const refused = await as(node, user, 'POST', '/v1/chat/completions', chat());
        expect([refused.status, refused.json.error.code]).toEqual([404, 'model_not_found']);
        expect((await as(node, admin, 'GET', '/api/shared')).json.data).toEqual([]);
      }
      for (const stream of streams) {
        const text = await stream.text();
        expect(text).not.toContain('[DONE]');
        expect(text).toMatch(/"code":"(?:permission_denied|model_not_found)"/);
      }
      await eventually(
        async () => vendor.aborts - aborts,
        (ended) => ended >= (isKept ? 2 : 3),
      );
      // The owner's own tenant goes on, unless the row is gone.
      const heard = isKept ? await beginningOf(kept) : await kept.text();
      expect([heard.includes('"error"'), heard.includes('[DONE]')]).toEqual([!isKept, false]);
      if (isKept) await change(owner, 'DELETE', '/api/models/shared');
      const runs = await eventually(
        async () => (await as(1, admin, 'GET', '/api/runs?model=shared&limit=50')).json.data as { outcome: string; error: string | null }[],
        (found) => found.filter(({ error }) => error !== 'model_not_found').length >= 2,
      );
      expect(runs.filter(({ outcome }) => outcome === 'complete')).toEqual([]);
      const problems = (await as(1, admin, 'GET', '/api/config/problems')).json.data as { kind: string; message: string }[];
      expect(problems.every(({ kind }) => kind === 'grant')).toBe(true);
      expect(problems[0]?.message).toContain('no longer shared');
      for (const { name } of problems as unknown as { name: string }[]) await change(admin, 'DELETE', `/api/grants/${name}`);
    },
  );
});
