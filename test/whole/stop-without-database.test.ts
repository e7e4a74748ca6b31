/** SIGTERM while PostgreSQL is frozen: the node ends by itself, and the next one has its calls. */
import { expect, it } from 'vitest';
import { postgresUrl } from '../storage/databases.ts';
import { startBreakablePostgres } from './breakable-postgres.ts';
import { eventually, startGateway, startProcess } from './gateway.ts';
import { answerOk, startVendor } from './vendor.ts';

it.skipIf(postgresUrl === undefined)(
  'a node whose database does not answer ends after its last phase, with code 0, and loses no call',
  async () => {
    await using owned = new AsyncDisposableStack();
    const { dataDir, proxy, url, directUrl } = await startBreakablePostgres(owned);
    const vendor = owned.use(await startVendor());
    vendor.behave((request, response) => answerOk(request, response, 'Hello'));
    let exitCode: () => number | null = () => null;
    const env = { PAILOU_DATA_DIR: dataDir, PAILOU_DATABASE_URL: url, PAILOU_GRACE_SECONDS: '1' };
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
    // The node stays in the balancer's list: its probe has an answer long before the statement gives up, which is after 35 s.
    const ready = await fetch(`${first.url}/readyz`, { signal: AbortSignal.timeout(30_000) });
    expect([ready.status, await ready.json()]).toMatchObject([200, { status: 'degraded', database: 'unavailable' }]);
    await first[Symbol.asyncDispose]();
    expect(exitCode()).toBe(0);
    await proxy.restore();

    const { PAILOU_IDENTITY_PORT = '' } = first.env;
    await using second = await startGateway({ PAILOU_DATA_DIR: dataDir, PAILOU_DATABASE_URL: directUrl, PAILOU_IDENTITY_PORT });
    const { json } = await eventually(
      () => second.as('admin', 'GET', `/api/runs/${headers.get('x-pailou-trace-id') ?? ''}`),
      (answer) => answer.status === 200,
    );
    expect(json).toMatchObject({ outcome: 'complete', error: null });
  },
);
