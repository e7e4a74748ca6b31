/** PostgreSQL when the network or the server misbehaves: a breakable proxy is between the store and the real server. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createConfigStore } from '../../src/storage/config-store.ts';
import type { Database } from '../../src/storage/database.ts';
import { createLedger } from '../../src/storage/ledger.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { openDatabase } from '../../src/storage/open-database.ts';
import { startBreakableProxy, type BreakableProxy } from './breakable-proxy.ts';
import { databaseKinds, eventually, memoryLogger, migrated, postgresUrl, type TestDatabase } from './databases.ts';
import { runRecord } from './records.ts';

const postgres = databaseKinds.find(({ name }) => name === 'PostgreSQL');
const unavailable = (message: RegExp) => ({ code: 'storage_unavailable', status: 503, message: expect.stringMatching(message) as string });

describe.skipIf(postgresUrl === undefined)('PostgreSQL behind a breakable proxy', () => {
  let place: TestDatabase;
  let direct: Database;
  let proxy: BreakableProxy;
  let far: Database;

  beforeEach(async () => {
    if (postgres === undefined) throw new Error('no PostgreSQL');
    ({ place, database: direct } = await migrated(postgres));
    const url = new URL(place.url ?? '');
    proxy = await startBreakableProxy({ host: url.hostname, port: Number(url.port) });
    url.port = String(proxy.port);
    url.hostname = '127.0.0.1';
    far = await place.open(url.href);
  });
  afterEach(async () => {
    // Stalled connections would delay the closing.
    await proxy[Symbol.asyncDispose]();
    await place[Symbol.asyncDispose]();
  });

  const stored = async (): Promise<string[]> =>
    (await direct.query.selectFrom('llm_run_all').select('id').orderBy('id').execute()).map(({ id }) => id);
  const spooled = async (): Promise<number> => (await readdir(join(place.dataDir, 'spool', 'runs')).catch(() => [])).length;

  it('can be unreachable at start: opening succeeds, statements fail with the reason, and it recovers', async () => {
    await proxy.disconnect();
    const url = new URL(place.url ?? '');
    url.port = String(proxy.port);
    const early = await place.open(url.href);
    const words = /The PostgreSQL database cannot be used: it cannot be reached\. Check PAILOU_DATABASE_URL/;
    await expect(early.ping()).rejects.toMatchObject(unavailable(words));
    await expect(migrate(early)).rejects.toMatchObject(unavailable(words));
    await expect(createConfigStore(early).load()).rejects.toMatchObject(unavailable(words));
    await proxy.restore();
    await early.ping();
    expect(await migrate(early)).toEqual([]);
  });

  it('compiles no statement: the sums of a batch with failures would wait seconds for it', async () => {
    const settings = await Promise.all(
      Array.from(
        { length: 3 },
        async () => (await sql<{ jit: string }>`select current_setting('jit') as jit, pg_sleep(0.05)`.execute(far.query)).rows[0],
      ),
    );
    expect(settings.map((row) => row?.jit)).toEqual(['off', 'off', 'off']);
  });

  it('may become unreachable under a running ledger: runs wait on disk and are stored exactly once', async () => {
    await using ledger = createLedger({ database: far, dataDir: place.dataDir, logger: place.logger, intervalMs: 20 });
    const runs = Array.from({ length: 30 }, () => runRecord());
    const record = (from: number, to: number): void => runs.slice(from, to).forEach((run) => ledger.record(run));
    record(0, 10);
    await ledger.flush();
    expect(await stored()).toHaveLength(10);
    await proxy.disconnect();
    record(10, 20);
    await ledger.flush();
    record(20, 30);
    await ledger.flush();
    expect(ledger.pending).toBe(0);
    expect(await spooled()).toBe(2);
    expect(await stored()).toHaveLength(10);
    await proxy.restore();
    await eventually(async () => (await spooled()) === 0);
    expect(await stored()).toEqual(runs.map(({ id }) => id).toSorted());
    expect(await direct.query.selectFrom('llm_attempt').selectAll().execute()).toHaveLength(60);
    const warnings = place.logger.lines.filter(({ message }) => message.includes('spooling'));
    expect(warnings).toHaveLength(1);
  });

  it('may stop responding: runs are on disk within seconds, a shutdown does not wait, the next process stores them once', async () => {
    const ledger = createLedger({ database: far, dataDir: place.dataDir, logger: place.logger, intervalMs: 20 });
    ledger.record(runRecord());
    await ledger.flush();
    proxy.stall();
    const late = [runRecord(), runRecord()];
    const started = Date.now();
    for (const run of late) ledger.record(run);
    await ledger.flush();
    expect(await spooled()).toBe(1);
    await ledger[Symbol.asyncDispose]();
    await far.close();
    expect(Date.now() - started).toBeLessThan(9_000);
    await using next = createLedger({ database: direct, dataDir: place.dataDir, logger: place.logger });
    await eventually(async () => (await stored()).length === 3);
    expect(next.pending).toBe(0);
    expect(await direct.query.selectFrom('llm_attempt').selectAll().execute()).toHaveLength(6);
  });

  it('delivers notifications again after the listening connection was lost', async () => {
    const store = createConfigStore(far);
    const writer = createConfigStore(direct);
    const actor = { subject: 'u', username: 'U', tenant: 'acme', requestId: 'r' };
    let heard = 0;
    const stop = store.watch(() => heard++);
    await eventually(() => heard === 1);
    await writer.commit(0, [], actor, '');
    await eventually(() => heard === 2);
    await proxy.disconnect();
    await writer.commit(1, [], actor, 'nobody hears this');
    await proxy.restore();
    // One notification after the reconnect, for missed ones.
    await eventually(() => heard === 3);
    await writer.commit(2, [], actor, '');
    await eventually(() => heard === 4);
    expect(await store.revision()).toBe(3);
    stop();
  });

  it('may be unreachable when the watch begins', async () => {
    await proxy.disconnect();
    let heard = 0;
    const stop = far.watch(() => heard++);
    await new Promise((resolve) => setTimeout(resolve, 300));
    expect(heard).toBe(0);
    await proxy.restore();
    await eventually(() => heard === 1);
    stop();
  });

  it('rolls back a commit when the connection breaks in its middle', async () => {
    const store = createConfigStore(direct);
    const breaking = far.query.transaction().execute(async (transaction) => {
      await transaction.updateTable('llm_config_revision').set({ revision: 5 }).execute();
      await proxy.disconnect();
      await transaction.updateTable('llm_config_revision').set({ revision: 6 }).execute();
    });
    const failure: unknown = await breaking.catch((thrown: unknown) => thrown);
    expect(far.explain(failure)).toMatchObject(unavailable(/it cannot be reached/));
    await eventually(async () => (await store.revision()) === 0);
    await proxy.restore();
    await far.ping();
  });

  it('returns integers above 32 bits as numbers', async () => {
    await direct.query.updateTable('llm_config_revision').set({ revision: Number.MAX_SAFE_INTEGER }).execute();
    const row = await direct.query.selectFrom('llm_config_revision').select('revision').executeTakeFirstOrThrow();
    expect(row).toEqual({ revision: Number.MAX_SAFE_INTEGER });
  });

  it('reports faults of the address', async () => {
    const open = async (change: (url: URL) => void): Promise<void> => {
      const url = new URL(place.url ?? '');
      change(url);
      await (await place.open(url.href)).ping();
    };
    await expect(open((url) => (url.pathname = '/nowhere'))).rejects.toMatchObject(unavailable(/there is no database of that name/));
    await expect(open((url) => (url.username = 'nobody'))).rejects.toMatchObject(unavailable(/it refuses the user or password/));
    await expect(open((url) => (url.hostname = 'no-such-host.invalid'))).rejects.toMatchObject(unavailable(/it cannot be reached/));
    await expect(
      openDatabase({ url: 'postgres://u:hidden@host:port/x', dataDir: place.dataDir, logger: memoryLogger() }),
    ).rejects.toMatchObject({
      code: 'configuration_invalid',
      param: 'PAILOU_DATABASE_URL',
      message: expect.not.stringContaining('hidden') as string,
    });
  });

  it('reports a read-only server', async () => {
    const url = new URL(place.url ?? '');
    url.searchParams.set('options', '-c default_transaction_read_only=on');
    const standby = await place.open(url.href);
    const commit = createConfigStore(standby).commit(0, [], { subject: 'u', username: 'U', tenant: 't', requestId: 'r' }, '');
    await expect(commit).rejects.toMatchObject(unavailable(/it is read-only/));
  });
});
