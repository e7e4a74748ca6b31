/** SIGTERM while PostgreSQL is frozen: the node ends by itself, and the next one has its calls. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { startBreakableProxy } from '../storage/breakable-proxy.ts';
import { databaseKinds, postgresUrl } from '../storage/databases.ts';
import { eventually, startGateway, startProcess } from './gateway.ts';
import { answerOk, startVendor } from './vendor.ts';

it.skipIf(postgresUrl === undefined)(
  'a node whose database does not answer ends after its last phase, with code 0, and loses no call',
  async () => {
    await using owned = new AsyncDisposableStack();
    const dataDir = await mkdtemp(join(tmpdir(), 'pailou-stop-'));
    owned.defer(() => rm(dataDir, { recursive: true, force: true }));
    const database = await databaseKinds.find(({ name }) => name === 'PostgreSQL')?.createMigrated();
    if (database?.url == null) throw new Error('no PostgreSQL');
    owned.use(database);
    const address = new URL(database.url);
    const proxy = owned.use(await startBreakableProxy({ host: address.hostname, port: Number(address.port) }));
    const through = new URL(address);
    through.host = `127.0.0.1:${proxy.port}`;
    const vendor = owned.use(await startVendor());
    vendor.behave((request, response) => answerOk(request, response, 'Hello'));
    let exitCode: () => number | null = () => null;
    const env = { PAILOU_DATA_DIR: dataDir, PAILOU_DATABASE_URL: through.href, PAILOU_GRACE_SECONDS: '1' };
    const first = await startGateway(env, async (all) => {
      const started = await startProcess(all);
      ({ exitCode } = started);
      return started;
    });
    const spec = { kind: 'openai-compatible', options: { base_url: vendor.url } };
    await first.as('admin', 'POST', '/api/providers', { name: 'v', spec });
    await first.as('admin', 'POST', '/api/models', { name: 'm', spec: { deployments: [{ provider: 'v', model: 'm' }] } });
    const body = { model: 'm', messages: [{ role: 'user', content: 'Hello' }] };
    expect((await first.as('developer', 'POST', '/v1/chat/completions', body)).status).toBe(200);
    proxy.stall();
    const { status, headers } = await first.as('developer', 'POST', '/v1/chat/completions', body);
    expect(status).toBe(200);
    await first[Symbol.asyncDispose]();
    expect(exitCode()).toBe(0);
    await proxy.restore();

    const { PAILOU_IDENTITY_PORT = '' } = first.env;
    await using second = await startGateway({ PAILOU_DATA_DIR: dataDir, PAILOU_DATABASE_URL: database.url, PAILOU_IDENTITY_PORT });
    const { json } = await eventually(
      () => second.as('admin', 'GET', `/api/runs/${headers.get('x-pailou-trace-id') ?? ''}`),
      (answer) => answer.status === 200,
    );
    expect(json).toMatchObject({ outcome: 'complete', error: null });
  },
  100_000,
);
