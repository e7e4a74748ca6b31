/** What an operator sees when records pile up: metrics, readiness with its reason, and both again as before once the cause is gone. */
import { spawnSync } from 'node:child_process';
import { mkdir, mkdtemp, open, rename, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { randomBytes } from 'node:crypto';
import pg from 'pg';
import { afterAll, afterEach, expect, it } from 'vitest';
import { startBreakableProxy } from '../storage/breakable-proxy.ts';
import { postgresUrl } from '../storage/databases.ts';
import { eventually, startGateway, type TestGateway } from './gateway.ts';

const cleanups: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
});

async function valueOf(gateway: TestGateway, metric: string): Promise<number> {
  const { text } = await gateway.as('admin', 'GET', '/metrics');
  const line = text.split('\n').find((each) => each.startsWith(`${metric} `));
  return line === undefined ? Number.NaN : Number(line.slice(metric.length + 1));
}
const call = (gateway: TestGateway) =>
  gateway.as('admin', 'POST', '/v1/chat/completions', { model: 'demo/echo', messages: [{ role: 'user', content: 'Hi' }] });
const ready = (gateway: TestGateway) => gateway.as(null, 'GET', '/readyz');

it('counts requests that are refused before a run, by error code, and none of a run', async () => {
  await using gateway = await startGateway();
  const body = { model: 'demo/echo', messages: [{ role: 'user', content: 'Hi' }] };
  for (let index = 0; index < 20; index++)
    await gateway.as(null, 'POST', '/v1/chat/completions', body, { authorization: `Bearer wrong-${index}` });
  for (let index = 0; index < 3; index++) await gateway.as(null, 'POST', '/v1/chat/completions', body);
  await gateway.as('viewer', 'POST', '/api/providers', { name: 'x', spec: {} });
  await gateway.as('admin', 'POST', '/v1/chat/completions', { ...body, model: 'none' });
  await gateway.as('admin', 'POST', '/v1/chat/completions', '{');
  expect((await gateway.as('admin', 'POST', '/v1/chat/completions', { ...body, model: 'demo/flaky' })).status).toBeGreaterThan(0);
  const counts = await Promise.all(
    ['token_invalid', 'token_missing', 'permission_denied', 'model_not_found', 'invalid_json'].map((code) =>
      valueOf(gateway, `pailou_refusals_total{code="${code}"}`),
    ),
  );
  expect(counts).toEqual([20, 3, 1, 1, 1]);
  const { text } = await gateway.as('admin', 'GET', '/metrics');
  const codes = [...text.matchAll(/^pailou_refusals_total\{([^}]*)\}/gm)].map(([, labels]) => labels);
  expect(
    codes.every((labels) => /^code="[a-z_]+"$/.test(labels ?? '')),
    'the labels are bounded',
  ).toBe(true);
});

it.skipIf(postgresUrl === undefined)('is not ready while neither the database nor the disk takes records, and loses none', async () => {
  const name = `pailou_unwritable_${randomBytes(6).toString('hex')}`;
  const onServer = async (statement: string): Promise<void> => {
    const client = new pg.Client({ connectionString: postgresUrl });
    await client.connect();
    await client.query(statement);
    await client.end();
  };
  await onServer(`create database ${name}`);
  cleanups.push(() => onServer(`drop database ${name} with (force)`));
  const url = new URL(postgresUrl ?? '');
  await using proxy = await startBreakableProxy({ host: url.hostname, port: Number(url.port) });
  url.host = `127.0.0.1:${proxy.port}`;
  url.pathname = `/${name}`;
  await using gateway = await startGateway({ PAILOU_DATABASE_URL: url.href });
  expect((await call(gateway)).status).toBe(200);
  expect((await ready(gateway)).status).toBe(200);

  const spool = join(gateway.dataDir, 'spool');
  await mkdir(spool, { recursive: true });
  await proxy.disconnect();
  await call(gateway);
  await eventually(
    () => valueOf(gateway, 'pailou_records_spool_files{records="runs"}'),
    (files) => files > 0,
  );
  expect(await valueOf(gateway, 'pailou_records_spooled_total{records="runs"}')).toBeGreaterThan(0);
  expect((await ready(gateway)).json, 'records are on disk').toMatchObject({ status: 'degraded' });

  await rename(join(spool, 'runs'), join(gateway.dataDir, 'away'));
  await writeFile(join(spool, 'runs'), 'in the way');
  for (let index = 0; index < 5; index++) expect((await call(gateway)).status, 'calls are served').toBe(200);
  const stuck = await eventually(
    () => ready(gateway),
    ({ status }) => status === 503,
  );
  expect(stuck.json).toMatchObject({
    status: 'unwritable',
    reason: expect.stringMatching(/^The runs can be written neither .* \(E[A-Z]+\)/),
  });
  expect(await valueOf(gateway, 'pailou_records_pending{records="runs"}')).toBeGreaterThan(0);

  await rm(join(spool, 'runs'));
  await rename(join(gateway.dataDir, 'away'), join(spool, 'runs'));
  await proxy.restore();
  await eventually(
    () => ready(gateway),
    ({ status, json }) => status === 200 && json.status === 'ok',
  );
  await eventually(
    () => gateway.as('admin', 'GET', '/api/usage?by=capability'),
    ({ json }) => json?.data?.find((line: { capability: string }) => line.capability === 'model/demo/echo')?.calls === 7,
  );
  expect(await valueOf(gateway, 'pailou_records_dropped_total{records="runs"}')).toBe(0);
});

const small = await mkdtemp(join(tmpdir(), 'pailou-full-'));
const canMount = spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=48m', 'tmpfs', small]).status === 0;
if (canMount) spawnSync('umount', [small]);
afterAll(() => rm(small, { recursive: true }));

it.skipIf(!canMount)('is not ready while the disk of its data folder is full, says so, and is ready again by itself', async () => {
  spawnSync('mount', ['-t', 'tmpfs', '-o', 'size=48m', 'tmpfs', small]);
  cleanups.push(() => void spawnSync('umount', ['-l', small]));
  await using gateway = await startGateway({ PAILOU_DATA_DIR: join(small, 'data') });
  expect((await call(gateway)).status).toBe(200);
  expect((await ready(gateway)).status).toBe(200);
  expect(await valueOf(gateway, 'pailou_disk_free_bytes{folder="data"}')).toBeGreaterThan(1_000_000);
  const filler = await open(join(small, 'filler'), 'w');
  const part = Buffer.alloc(65_536);
  while (
    await filler.write(part).then(
      () => true,
      () => false,
    )
  );
  await filler.close();
  const full = await eventually(
    () => ready(gateway),
    ({ status }) => status === 503,
  );
  expect(full.json).toMatchObject({ status: 'unwritable', reason: expect.stringContaining('full') });
  for (let index = 0; index < 5; index++) expect((await call(gateway)).status, 'calls are served from memory').toBe(200);
  await rm(join(small, 'filler'));
  await eventually(
    () => ready(gateway),
    ({ status }) => status === 200,
  );
  await eventually(
    () => gateway.as('admin', 'GET', '/api/usage?by=capability'),
    ({ json }) => json?.data?.find((line: { capability: string }) => line.capability === 'model/demo/echo')?.calls === 6,
  );
});
