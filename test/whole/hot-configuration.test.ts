/** Configuration takes effect without a restart, on every process, and breaks nothing that is in progress. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually, freePort, startGateway, startProcess, type TestGateway } from './gateway.ts';
import { databaseKinds, type TestDatabase } from '../storage/databases.ts';
import { calling, skill } from './skill-scene.ts';
import { startToolServer } from './tool-server.ts';
import { answerOk, chunks, startVendor, type Vendor } from './vendor.ts';

const postgres = databaseKinds.find(({ name }) => name === 'PostgreSQL');
const masterKey = randomBytes(32).toString('base64');
let database: TestDatabase | undefined;
let gateway: TestGateway;
let first: Vendor;
let second: Vendor;
const ask = { model: 'hot', messages: [{ role: 'user', content: 'Hi' }] };
const urlOf = (place: TestDatabase | undefined): Record<string, string> => (place?.url == null ? {} : { PAILOU_DATABASE_URL: place.url });
const provider = (vendor: Vendor) => ({ kind: 'openai-compatible', options: { base_url: vendor.url } });

beforeAll(async () => {
  if (postgres?.missing === false) database = await postgres.create();
  gateway = await startGateway({ PAILOU_MASTER_KEY: masterKey, ...urlOf(database) });
  first = await startVendor();
  second = await startVendor();
  second.behave((request, response) => answerOk(request, response, 'second'));
  expect((await gateway.as('admin', 'POST', '/api/providers', { name: 'vendor', spec: provider(first) })).status).toBe(201);
  expect(
    (await gateway.as('admin', 'POST', '/api/models', { name: 'hot', spec: { deployments: [{ provider: 'vendor', model: 'm' }] } })).status,
  ).toBe(201);
});
afterAll(async () => {
  await gateway[Symbol.asyncDispose]();
  await first[Symbol.asyncDispose]();
  await second[Symbol.asyncDispose]();
  await database?.[Symbol.asyncDispose]();
});

/** Starts another node on the same database, with the same identity service. */
async function startSecondProcess(dataDir: string) {
  return startProcess({
    PAILOU_MASTER_KEY: masterKey,
    ...urlOf(database),
    PAILOU_PORT: String(await freePort()),
    PAILOU_DATA_DIR: dataDir,
    PAILOU_OAUTH_ISSUER: gateway.gateway.issuer,
    PAILOU_OAUTH_PRESET: 'generic',
    PAILOU_OAUTH_AUDIENCE: gateway.url,
    PAILOU_LOG_LEVEL: 'error',
  });
}

describe('a changed provider address', () => {
  // Starts a process, which takes long on a busy machine.
  it.skipIf(postgres?.missing !== false)(
    'interrupts none of 50 active streams, and new calls use the new address, even in a second process',
    async () => {
      const dataDir = await mkdtemp(join(tmpdir(), 'pailou-second-'));
      // Worker processes are listed too.
      const alone = (await gateway.as('admin', 'GET', '/api/config/revision')).json.nodes.length as number;
      const other = await startSecondProcess(dataDir);
      try {
        const finish: (() => void)[] = [];
        first.behave((request, response) => {
          if (request.body.stream !== true) return answerOk(request, response, 'first');
          response.writeHead(200, { 'content-type': 'text/event-stream' });
          const parts = chunks(['a ', 'b ', 'c']);
          response.write(parts.slice(0, 2).join(''));
          finish.push(() => response.end(parts.slice(2).join('')));
        });
        const authorization = `Bearer ${await gateway.token('developer')}`;
        const post = (url: string, body: unknown) =>
          fetch(`${url}/v1/chat/completions`, {
            method: 'POST',
            headers: { authorization, 'content-type': 'application/json' },
            body: JSON.stringify(body),
          });
        const streams = await Promise.all(
          Array.from({ length: 50 }, (_, index) => post(index % 2 === 0 ? gateway.url : other.url, { ...ask, stream: true })),
        );
        expect(finish).toHaveLength(50);

        const changed = await gateway.as('admin', 'PUT', '/api/providers/vendor', { spec: provider(second) });
        expect(changed.status, changed.text).toBe(200);
        const answerAt = async (url: string) =>
          ((await (await post(url, ask)).json()) as { choices: { message: { content: string } }[] }).choices[0]?.message.content;
        expect(await answerAt(gateway.url)).toBe('second');
        await eventually(
          () => answerAt(other.url),
          (text) => text === 'second',
        );
        // The proof for an administrator: each node reports the revision that it serves.
        const revisions = await eventually(
          async () =>
            (await gateway.as('admin', 'GET', '/api/config/revision')).json as {
              revision: number;
              nodes: { revision: number; self: boolean }[];
            },
          ({ revision, nodes }) => nodes.length === alone + 1 && nodes.every((node) => node.revision === revision),
        );
        expect(revisions.nodes.filter((node) => node.self)).toHaveLength(1);

        for (const end of finish) end();
        const texts = await Promise.all(streams.map((stream) => stream.text()));
        for (const text of texts) {
          expect(text).toContain('"content":"c"');
          expect(text).toMatch(/data: \[DONE\]\n\n$/);
        }
      } finally {
        await other.close();
        await rm(dataDir, { recursive: true, force: true });
      }
      // A node that stopped cleanly is no longer listed.
      expect((await gateway.as('admin', 'GET', '/api/config/revision')).json.nodes).toHaveLength(alone);
    },
  );
});

it('a deleted MCP server still answers the call of a background run that began before', async () => {
  await using tools = await startToolServer();
  const answered = Promise.withResolvers<void>();
  tools.delay = answered.promise;
  second.behave(calling('notes__say', {}));
  const rows = {
    '/api/providers': { name: 'scripted', spec: provider(second) },
    '/api/models': { name: 'scripted', spec: { deployments: [{ provider: 'scripted', model: 'm' }] } },
    '/api/mcp-servers': { name: 'notes', spec: { kind: 'http', options: { url: tools.url } } },
    '/api/skills': { name: 'noting', spec: skill({ tools: ['mcp/notes'] }) },
  };
  for (const [path, row] of Object.entries(rows)) expect((await gateway.as('admin', 'POST', path, row)).status, path).toBe(201);
  const began = await gateway.as('developer', 'POST', '/v1/skills/noting/runs', { input: { city: 'Suzhou' }, async: true });
  expect(began.status).toBe(202);
  await eventually(
    async () => tools.inputs.length,
    (count) => count === 1,
  );
  expect((await gateway.as('admin', 'DELETE', '/api/mcp-servers/notes')).status).toBe(204);
  answered.resolve();
  const ended = await eventually(
    async () => (await gateway.as('developer', 'GET', `/v1/runs/${began.json.id}`)).json,
    ({ status }) => status !== 'running',
  );
  expect(ended).toMatchObject({ status: 'completed', output: 'It says: said' });
});

describe('writing', () => {
  it('refuses a change based on an outdated revision, and shows the current one', async () => {
    const read = await gateway.as('admin', 'GET', '/api/models/hot');
    const spec = { deployments: [{ provider: 'vendor', model: 'm2' }] };
    const good = await gateway.as('admin', 'PUT', '/api/models/hot', { spec }, { 'if-match': read.headers.get('etag') ?? '' });
    expect(good.status, good.text).toBe(200);
    const stale = await gateway.as('admin', 'PUT', '/api/models/hot', { spec }, { 'if-match': read.headers.get('etag') ?? '' });
    expect(stale.status).toBe(409);
    expect(stale.json.error).toMatchObject({ code: 'revision_conflict' });
    expect(JSON.stringify(stale.json.error)).toContain('m2');
  });

  it('refuses an invalid change completely, names the field, and changes nothing', async () => {
    const before = (await gateway.as('admin', 'GET', '/api/config/revision')).json.revision;
    const unknownProvider = await gateway.as('admin', 'PUT', '/api/models/hot', {
      spec: { deployments: [{ provider: 'vendro', model: 'm' }] },
    });
    expect(unknownProvider.status).toBe(400);
    expect(unknownProvider.json.error.param).toBe('spec.deployments[0].provider');
    expect(unknownProvider.json.error.message).toContain('vendor');
    const badOption = await gateway.as('admin', 'POST', '/api/providers', {
      name: 'bad',
      spec: { kind: 'openai-compatible', options: { base_url: 'ftp://x', wrong: 1 } },
    });
    expect(badOption.status).toBe(400);
    const inUse = await gateway.as('admin', 'DELETE', '/api/providers/vendor');
    expect(inUse.status).toBe(409);
    expect(inUse.json.error.message).toContain('hot');
    expect((await gateway.as('admin', 'GET', '/api/config/revision')).json.revision).toBe(before);
  });

  it('keeps the history and rolls back to a revision', async () => {
    const { revision } = (await gateway.as('admin', 'GET', '/api/config/revision')).json;
    await gateway.as('admin', 'PUT', '/api/models/hot', { spec: { deployments: [{ provider: 'vendor', model: 'm3' }] } });
    const back = await gateway.as('admin', 'POST', '/api/config/rollback', { revision });
    expect(back.status, back.text).toBe(200);
    expect((await gateway.as('admin', 'GET', '/api/models/hot')).json.spec.deployments[0].model).toBe('m2');
    const history = await gateway.as('admin', 'GET', `/api/config/history?after=${revision}`);
    expect(history.json.data.length).toBeGreaterThanOrEqual(2);
    // The first revision has all demo rows: its pages miss none of them.
    const all = (await gateway.as('admin', 'GET', '/api/config/history?limit=500')).json.data;
    const paged: unknown[] = [];
    for (let next: string | null = '0'; next !== null;) {
      const page: { data: unknown[]; next: string | null } = (await gateway.as('admin', 'GET', `/api/config/history?limit=2&after=${next}`))
        .json;
      paged.push(...page.data);
      next = page.next;
    }
    expect(paged).toEqual(all);
    const backwards: unknown[] = [];
    for (let next: string | null = ''; next !== null;) {
      const query = `order=newest&limit=3${next === '' ? '' : `&after=${next}`}`;
      const page: { data: unknown[]; next: string | null } = (await gateway.as('admin', 'GET', `/api/config/history?${query}`)).json;
      backwards.push(...page.data);
      next = page.next;
    }
    expect(backwards).toEqual(all.toReversed());
  });

  it('puts the revision on every answer', async () => {
    const answers = [
      await gateway.as('user', 'GET', '/v1/models'),
      await gateway.as('user', 'GET', '/nowhere'),
      await gateway.as(null, 'GET', '/v1/models'),
    ];
    for (const answer of answers) expect(Number(answer.headers.get('x-pailou-revision'))).toBeGreaterThan(0);
  });
});
