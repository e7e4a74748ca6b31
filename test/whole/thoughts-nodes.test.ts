/** Reasoning that one node remembers is there on another, in Redis or in PostgreSQL, for its own caller only. */
import { randomBytes } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { databaseKinds, postgresUrl } from '../storage/databases.ts';
import { redisUrl, takeRedisDatabase } from '../storage/redis-database.ts';
import { type Answer, eventually, startGateway, startProcess, type TestGateway } from './gateway.ts';
import { startVendor, type Vendor } from './vendor.ts';

const thought = 'The caller wants the gate; I must look it up.';
const question = { role: 'user', content: 'Where is the gate?' };
const tools = [{ type: 'function', function: { name: 'find', parameters: { type: 'object', properties: {} } } }];

const stores = [
  { store: 'PostgreSQL', missing: postgresUrl === undefined, inRedis: false },
  { store: 'Redis', missing: postgresUrl === undefined || redisUrl === undefined, inRedis: true },
];

for (const { store, missing, inRedis } of stores) {
  describe.skipIf(missing)(`two nodes with reasoning in ${store}`, () => {
    const owned = new AsyncDisposableStack();
    let identity: TestGateway;
    let vendor: Vendor;
    let nodes: TestGateway[];
    const seen: Record<string, unknown>[] = [];

    beforeAll(async () => {
      const kind = databaseKinds.find(({ name }) => name === 'PostgreSQL');
      if (kind === undefined) throw new Error('no PostgreSQL');
      const database = owned.use(await kind.createMigrated());
      identity = owned.use(await startGateway());
      vendor = owned.use(await startVendor());
      vendor.behave(({ body }, response) => {
        seen.push(body as Record<string, unknown>);
        const call = { id: `call-${seen.length}`, type: 'function', function: { name: 'find', arguments: '{}' } };
        const message = { role: 'assistant', content: null, reasoning_content: thought, tool_calls: [call] };
        const answer = {
          id: 'c',
          object: 'chat.completion',
          created: 1,
          model: 'm',
          choices: [{ index: 0, message, finish_reason: 'tool_calls' }],
        };
        response.writeHead(200, { 'content-type': 'application/json' });
        response.end(JSON.stringify({ ...answer, usage: { prompt_tokens: 1, completion_tokens: 1, total_tokens: 2 } }));
      });
      const settings = {
        PAILOU_MODE: 'production',
        PAILOU_OAUTH_ISSUER: identity.gateway.issuer,
        PAILOU_OAUTH_PRESET: 'generic',
        PAILOU_OAUTH_AUDIENCE: identity.url,
        PAILOU_DATABASE_URL: database.url ?? '',
        PAILOU_MASTER_KEY: randomBytes(32).toString('base64'),
        PAILOU_OUTBOUND_ALLOW: '127.0.0.0/8',
        PAILOU_LOG_LEVEL: 'error',
        ...(inRedis ? { PAILOU_REDIS_URL: owned.use(await takeRedisDatabase()).url, PAILOU_REDIS_TIMEOUT_MS: '10000' } : {}),
      };
      // One after the other, so that they do not migrate at once.
      nodes = [owned.use(await startGateway(settings, startProcess)), owned.use(await startGateway(settings, startProcess))];
      const spec = { kind: 'siliconflow', options: { base_url: vendor.url, api_key: 'key' } };
      await ask(0, 'admin', 'POST', '/api/providers', { name: 'vendor', spec });
      const deployments = [{ provider: 'vendor', model: 'deepseek-ai/DeepSeek-V4-Flash' }];
      expect((await ask(0, 'admin', 'POST', '/api/models', { name: 'deep', spec: { deployments } })).status).toBe(201);
      await eventually(
        async () => (await chat(1, 'developer', [question])).status,
        (status) => status === 200,
      );
    });
    afterAll(() => owned.disposeAsync());

    const ask = async (node: number, role: 'admin' | 'developer', method: string, path: string, body?: unknown): Promise<Answer> =>
      (nodes[node] as TestGateway).as(null, method, path, body, { authorization: `Bearer ${await identity.token(role)}` });
    const chat = (node: number, role: 'admin' | 'developer', messages: readonly object[]): Promise<Answer> =>
      ask(node, role, 'POST', '/v1/chat/completions', { model: 'deep', messages, tools });

    it('go back to the model from the other node, and to nobody else', async () => {
      const first = await chat(0, 'developer', [question]);
      const calls = first.json.choices[0].message.tool_calls;
      const back = [
        question,
        { role: 'assistant', content: null, tool_calls: calls },
        { role: 'tool', tool_call_id: calls[0].id, content: 'to the south' },
      ];
      await chat(1, 'admin', back);
      expect(JSON.stringify(seen.at(-1))).not.toContain(thought);
      // The first node writes after its answer.
      await eventually(
        async () => {
          expect((await chat(1, 'developer', back)).status).toBe(200);
          return JSON.stringify(seen.at(-1));
        },
        (sent) => sent.includes(thought),
      );
    });
  });
}
