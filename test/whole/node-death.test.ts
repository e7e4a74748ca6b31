/** A node killed during a stream or a tool call: the next node records the known part of the call in the ledger. */
import { mkdtemp, readdir, readFile, rm, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openRunsOf } from '../../src/storage/open-run-lines.ts';
import { postgresUrl } from '../storage/databases.ts';
import { startBreakablePostgres } from './breakable-postgres.ts';
import { eventually, startGateway, startProcess } from './gateway.ts';
import { called, playing } from './scripted-model.ts';
import { startToolServer } from './tool-server.ts';
import { chunks, startVendor } from './vendor.ts';

const notesIn = (dataDir: string) => readdir(join(dataDir, 'open-runs')).catch(() => []);

/** A gateway in a separate process, which is killed once its active runs are on disk. */
async function startKillable(dataDir: string, more: Record<string, string> = {}) {
  let pid = 0;
  const gateway = await startGateway({ PAILOU_DATA_DIR: dataDir, ...more }, async (env) => {
    const started = await startProcess(env);
    ({ pid } = started);
    return started;
  });
  const killWhenNoted = async (): Promise<void> => {
    await eventually(
      () => notesIn(dataDir),
      (names) => names.some((name) => name.endsWith('.ndjson')),
    );
    process.kill(pid, 'SIGKILL');
  };
  const isGone = async (): Promise<boolean> => {
    try {
      return !process.kill(pid, 0);
    } catch {
      return true;
    }
  };
  /** Resolves when its ports are free. */
  const kill = async (): Promise<void> => {
    process.kill(pid, 'SIGKILL');
    await eventually(isGone, (gone) => gone);
  };
  return { ...gateway, killWhenNoted, kill };
}

/** Ages the file of a dead node; resolves with its path. */
async function ageNote(dataDir: string): Promise<string> {
  const [name = ''] = await notesIn(dataDir);
  const path = join(dataDir, 'open-runs', name);
  await utimes(path, new Date(0), new Date(0));
  return path;
}

it('kill -9: the call is recorded once, as an error, with its approximate usage', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'pailou-death-'));
  await using vendor = await startVendor();
  vendor.behave((_request, response) => {
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    for (const chunk of chunks(Array.from({ length: 60 }, () => 'word ')).slice(0, 60)) response.write(chunk);
  });
  await using first = await startKillable(dataDir);
  await first.as('admin', 'POST', '/api/providers', {
    name: 'vendor',
    spec: { kind: 'openai-compatible', options: { base_url: vendor.url } },
  });
  const price = { currency: 'USD', input: 1_000_000, output: 2_000_000 };
  await first.as('admin', 'POST', '/api/models', { name: 'long', spec: { deployments: [{ provider: 'vendor', model: 'm', price }] } });
  const asking = first
    .as('developer', 'POST', '/v1/chat/completions', { model: 'long', stream: true, messages: [{ role: 'user', content: 'Hello' }] })
    .catch((thrown: unknown) => thrown);
  await first.killWhenNoted();
  // A worker lives to say that the node ended.
  expect((await asking) instanceof Error || ((await asking) as { status: number }).status === 503).toBe(true);

  const note = await ageNote(dataDir);
  const { id } = JSON.parse((await readFile(note, 'utf8')).trim()) as { id: string };
  await using second = await startGateway({ PAILOU_DATA_DIR: dataDir });
  const runs = () => second.as('admin', 'GET', '/api/runs?capability=model/long');
  const { json } = await eventually(runs, (answer) => answer.json.data.length > 0);
  expect(json.data).toHaveLength(1);
  const [run] = json.data;
  expect(run).toMatchObject({
    id,
    subject: 'developer',
    outcome: 'error',
    error: 'node_lost',
    deployment: 'long#vendor/m',
    streamed: true,
  });
  expect(run.usage).toMatchObject({ estimated: true });
  expect(run.usage.output_tokens).toBeGreaterThan(30);
  expect(run.usage.output_tokens).toBeLessThan(200);
  expect(run.cost).toBe(run.usage.input_tokens + 2 * run.usage.output_tokens);
  await eventually(
    () => notesIn(dataDir),
    (names) => names.length === 0,
  );
  await rm(dataDir, { recursive: true, force: true });
});

it('kill -9: the called tool is in the ledger, with its skill and its chat', async () => {
  const dataDir = await mkdtemp(join(tmpdir(), 'pailou-death-'));
  await using vendor = await startVendor();
  await using slow = await startToolServer();
  vendor.behave(playing(() => ({ 0: [called('c1', 'skill__telling', { text: 'x' })] })));
  await using first = await startKillable(dataDir);
  const made = async (path: string, body: object) => expect((await first.as('admin', 'POST', path, body)).status).toBe(201);
  await made('/api/providers', { name: 'vendor', spec: { kind: 'openai-compatible', options: { base_url: vendor.url } } });
  await made('/api/models', { name: 'small', spec: { deployments: [{ provider: 'vendor', model: 'm' }] } });
  await made('/api/mcp-servers', { name: 'slow', spec: { kind: 'http', options: { url: slow.url } } });
  const spec = { kind: 'pipeline', description: 'd', model: 'small', tools: ['mcp/slow'] };
  const steps = [{ id: 'say', use: 'mcp/slow/say', with: { word: 'x' } }];
  await made('/api/skills', { name: 'telling', spec: { ...spec, options: { input_schema: { type: 'object' }, steps } } });
  await eventually(
    async () => (await first.as('admin', 'GET', '/api/mcp-servers/slow/items')).json.data as unknown[],
    (items) => items.length === 1,
  );
  slow.hang = true;
  const asking = first
    .as('developer', 'POST', '/v1/chat/completions', {
      model: 'small',
      messages: [{ role: 'user', content: 'Hello' }],
      tools: [{ type: 'skill', name: 'telling' }],
    })
    .catch((thrown: unknown) => thrown);
  // The ended call of the model is stored, so that a slow machine does not lose it in the interval of the writer.
  await eventually(
    async () => (await first.as('admin', 'GET', '/api/runs')).json.data as { outcome: string }[],
    (all) => all.some(({ outcome }) => outcome === 'complete'),
  );
  await first.killWhenNoted();
  // A worker lives to say that the node ended.
  expect((await asking) instanceof Error || ((await asking) as { status: number }).status === 503).toBe(true);
  await ageNote(dataDir);

  const { PAILOU_IDENTITY_PORT = '' } = first.env;
  await using second = await startGateway({ PAILOU_DATA_DIR: dataDir, PAILOU_IDENTITY_PORT });
  const runs = async () => (await second.as('admin', 'GET', '/api/runs')).json.data as Record<string, string | null>[];
  const found = await eventually(runs, (all) => all.length >= 4);
  const [root] = found.filter(({ parent }) => parent === null);
  expect(root).toMatchObject({ capability: 'model/small', operation: 'tool-loop', outcome: 'error', error: 'node_lost' });
  const within = found.filter(({ parent }) => parent !== null).map(({ capability, outcome }) => `${capability} ${outcome}`);
  expect(within.toSorted()).toEqual(['mcp/slow/say error', 'model/small complete', 'skill/telling error']);
  // The caller can read the outcome.
  const shownRun = (await second.as('developer', 'GET', `/v1/runs/${root?.['id']}`)).json;
  expect(shownRun).toMatchObject({
    status: 'failed',
    tree: { calls: expect.arrayContaining([expect.objectContaining({ outcome: 'error' })]) },
  });
  await rm(dataDir, { recursive: true, force: true });
});

it.skipIf(postgresUrl === undefined)(
  'kill -9 while PostgreSQL is frozen: an answer that the caller has whole is in the ledger, as complete',
  async () => {
    await using owned = new AsyncDisposableStack();
    const { dataDir, proxy, url, directUrl } = await startBreakablePostgres(owned);
    const vendor = owned.use(await startVendor());
    let finish = (): void => {};
    vendor.behave((_request, response) => {
      const [head = '', first = '', ...rest] = chunks(['one ', 'two']);
      response.writeHead(200, { 'content-type': 'text/event-stream' });
      response.write(head + first);
      finish = () => response.end(rest.join(''));
    });
    const first = owned.use(await startKillable(dataDir, { PAILOU_DATABASE_URL: url }));
    const spec = { kind: 'openai-compatible', options: { base_url: vendor.url } };
    await first.as('admin', 'POST', '/api/providers', { name: 'vendor', spec });
    await first.as('admin', 'POST', '/api/models', { name: 'long', spec: { deployments: [{ provider: 'vendor', model: 'm' }] } });
    const body = { model: 'long', stream: true, messages: [{ role: 'user', content: 'Hello' }] };
    const asking = first.as('developer', 'POST', '/v1/chat/completions', body);
    await eventually(
      () => notesIn(dataDir),
      (names) => names.some((name) => name.endsWith('.ndjson')),
    );
    proxy.stall();
    finish();
    const { text, headers } = await asking;
    expect(text).toContain('data: [DONE]');
    // The disk always has the note of the stream or its complete record.
    const run = headers.get('x-pailou-trace-id') ?? '';
    const onDisk = async (): Promise<string | undefined> => {
      for (const folder of ['open-runs', join('spool', 'runs')])
        for (const name of await readdir(join(dataDir, folder)).catch(() => [])) {
          const found = openRunsOf(await readFile(join(dataDir, folder, name), 'utf8').catch(() => '')).find(({ id }) => id === run);
          if (found !== undefined) return found.outcome;
        }
      return undefined;
    };
    await eventually(
      async () => {
        const outcome = await onDisk();
        expect(outcome).toBeDefined();
        return outcome;
      },
      (outcome) => outcome === 'complete',
    );
    await first.kill();
    await proxy.restore();
    for (const name of await notesIn(dataDir)) await utimes(join(dataDir, 'open-runs', name), new Date(0), new Date(0));

    const { PAILOU_IDENTITY_PORT = '' } = first.env;
    await using second = await startGateway({ PAILOU_DATA_DIR: dataDir, PAILOU_DATABASE_URL: directUrl, PAILOU_IDENTITY_PORT });
    const { json } = await eventually(
      () => second.as('admin', 'GET', `/api/runs/${run}`),
      ({ status }) => status === 200,
    );
    expect(json).toMatchObject({ outcome: 'complete', error: null });
  },
);
