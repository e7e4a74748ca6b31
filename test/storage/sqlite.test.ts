/** SQLite in its thread: its settings, its errors for unusable files, and recovery after the thread dies. */
import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { randomBytes } from 'node:crypto';
import { chmod, chown, mkdir, mkdtemp, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DatabaseSync } from 'node:sqlite';
import { promisify } from 'node:util';
import { Worker } from 'node:worker_threads';
import type { WorkerReply, WorkerRequest } from '../../src/storage/sqlite/protocol.ts';
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { migrate } from '../../src/storage/migrate.ts';
import { openDatabase } from '../../src/storage/open-database.ts';
import { databaseKinds, eventually, memoryLogger, migrated, type TestDatabase } from './databases.ts';
import type { Database } from '../../src/storage/database.ts';

const [sqlite] = databaseKinds;
if (sqlite === undefined) throw new Error('no SQLite');
const root = join(import.meta.dirname, '../..');
const logger = memoryLogger();

/** Opens and migrates as an unprivileged user; root ignores file permissions. */
async function startUnprivileged(dataDir: string): Promise<string> {
  const source = (file: string): string => JSON.stringify(join(root, 'src/storage', file));
  const program = `
    ${process.getuid?.() === 0 ? 'process.setgid(65534); process.setuid(65534);' : ''}
    const { openDatabase } = await import(${source('open-database.ts')});
    const { migrate } = await import(${source('migrate.ts')});
    const silent = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };
    try {
      const database = await openDatabase({ url: null, dataDir: ${JSON.stringify(dataDir)}, logger: silent });
      await migrate(database);
      await database.close();
      console.log('fine');
    } catch (error) {
      console.log(error.code + ': ' + error.message);
    }
  `;
  const { stdout } = await promisify(execFile)(join(root, 'node_modules/.bin/node'), ['--input-type=module', '-e', program]);
  return stdout.trim();
}

describe('SQLite in a thread', () => {
  let place: TestDatabase;
  let database: Database;

  beforeEach(async () => {
    ({ place, database } = await migrated(sqlite));
  });
  afterEach(() => place[Symbol.asyncDispose]());

  it('uses WAL, syncs at each commit, and checks references', async () => {
    const pragma = async (name: string): Promise<unknown> =>
      Object.values((await sql.raw(`pragma ${name}`).execute(database.query)).rows[0] as object)[0];
    expect(await pragma('journal_mode')).toBe('wal');
    expect(await pragma('synchronous')).toBe(2);
    expect(await pragma('foreign_keys')).toBe(1);
    expect(await pragma('busy_timeout')).toBe(5_000);
  });

  it('makes the file readable only by its owner', async () => {
    expect((await stat(join(place.dataDir, 'pailou.db'))).mode & 0o777).toBe(0o600);
  });

  it('excludes other statements during a transaction', async () => {
    const order: string[] = [];
    let entered: () => void = () => {};
    const inside = new Promise<void>((resolve) => {
      entered = resolve;
    });
    const transaction = database.query.transaction().execute(async (own) => {
      await own.updateTable('llm_config_revision').set({ revision: 7 }).execute();
      entered();
      await new Promise((resolve) => setTimeout(resolve, 100));
      order.push('transaction');
      throw new Error('changed its mind');
    });
    await inside;
    const read = database.query.selectFrom('llm_config_revision').select('revision').executeTakeFirstOrThrow();
    const seen = read.then(({ revision }) => {
      order.push('reader');
      return revision;
    });
    await expect(transaction).rejects.toThrow('changed its mind');
    expect(await seen).toBe(0);
    expect(order).toEqual(['transaction', 'reader']);
  });

  it('does not report its own writes as those of another process', async () => {
    let heard = 0;
    database.watch(() => heard++);
    await eventually(() => heard > 0);
    const before = heard;
    await database.query.updateTable('llm_config_revision').set({ revision: 5 }).execute();
    await new Promise((resolve) => setTimeout(resolve, 400));
    expect(heard).toBe(before);
  });

  it('fails pending statements when its thread dies, then starts another and continues watching', async () => {
    const threads: Worker[] = [];
    const keep = (thread: Worker): void => void threads.push(thread);
    process.on('worker', keep);
    const own = await place.open().finally(() => process.off('worker', keep));
    let heard = 0;
    own.watch(() => heard++);
    await eventually(() => heard > 0);
    const endless = sql`with recursive many(n) as (select 1 union all select n + 1 from many where n < 2000000) select count(*) from many`;
    const dying = own.query.transaction().execute(async (transaction) => {
      await transaction.updateTable('llm_config_revision').set({ revision: 99 }).execute();
      const [lost] = await Promise.all([endless.execute(transaction), threads[0]?.terminate()]);
      return lost;
    });
    const next = own.query.selectFrom('llm_config_revision').select('revision').executeTakeFirstOrThrow();
    await expect(dying).rejects.toMatchObject({ code: 'storage_unavailable', message: 'The thread of the database has died.' });
    expect(await next).toEqual({ revision: 0 });
    const before = heard;
    await eventually(() => heard > before);
    await database.query.updateTable('llm_config_revision').set({ revision: 6 }).execute();
    await eventually(() => heard > before + 1);
  });

  it('reports the first error of a transaction even if SQLite has rolled back', async () => {
    const failing = database.query.transaction().execute(async (transaction) => {
      await sql`rollback`.execute(transaction);
      throw new Error('the first error');
    });
    await expect(failing).rejects.toThrow('the first error');
    await database.ping();
  });

  it('reports that another process keeps the file locked', async () => {
    const other = new DatabaseSync(join(place.dataDir, 'pailou.db'));
    try {
      other.exec('begin exclusive');
      await expect(database.query.updateTable('llm_config_revision').set({ revision: 5 }).execute()).rejects.toMatchObject({
        code: 'storage_unavailable',
        message: expect.stringContaining('another process keeps it locked') as string,
      });
    } finally {
      other.close();
    }
    await database.query.updateTable('llm_config_revision').set({ revision: 5 }).execute();
  });

  it('returns integers above 32 bits as numbers', async () => {
    await database.query.updateTable('llm_config_revision').set({ revision: 9_007_199_254_740_991 }).execute();
    const { revision } = await database.query.selectFrom('llm_config_revision').select('revision').executeTakeFirstOrThrow();
    expect(revision).toBe(Number.MAX_SAFE_INTEGER);
  });

  it('ends its thread at the close, also before the first statement', async () => {
    const started: Worker[] = [];
    const add = (worker: Worker): void => {
      started.push(worker);
    };
    process.on('worker', add);
    const unused = await place.open();
    const used = await place.open();
    process.off('worker', add);
    await sql`select 1`.execute(used.query);
    expect(started.map(({ threadId }) => threadId > 0)).toEqual([true, true]);
    await Promise.all([unused.close(), used.close()]);
    // A thread that has ended has no id.
    expect(started.map(({ threadId }) => threadId)).toEqual([-1, -1]);
    await expect(sql`select 1`.execute(unused.query)).rejects.toThrow('The database is closed.');
    await unused.close();
  });

  it('refuses to stream rows', async () => {
    await expect(database.query.selectFrom('llm_run').selectAll().stream().next()).rejects.toThrow(/not streamed/);
  });
});

describe('a SQLite file that cannot be used', () => {
  let folder: string;

  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'pailou-sqlite-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));

  const open = (url: string | null = null, dataDir = folder): Promise<Database> => openDatabase({ url, dataDir, logger });

  it('because it is something else', async () => {
    await writeFile(join(folder, 'pailou.db'), randomBytes(8_192));
    await expect(open()).rejects.toMatchObject({
      code: 'storage_unavailable',
      message: expect.stringMatching(/pailou\.db cannot be used: the file is not a database\. Check PAILOU_DATA_DIR/) as string,
    });
  });

  it('because it is damaged', async () => {
    const database = await open();
    await migrate(database);
    await database.close();
    const path = join(folder, 'pailou.db');
    await truncate(path, Math.floor((await stat(path)).size / 2 / 4_096) * 4_096);
    const start = async (): Promise<void> => {
      const again = await open();
      try {
        await migrate(again);
      } finally {
        await again.close();
      }
    };
    await expect(start()).rejects.toMatchObject({
      code: 'storage_unavailable',
      message: expect.stringContaining('the file is damaged') as string,
    });
  });

  it('because it is a folder', async () => {
    await mkdir(join(folder, 'pailou.db'));
    await expect(open()).rejects.toMatchObject({
      code: 'storage_unavailable',
      message: expect.stringContaining('the file cannot be opened') as string,
    });
  });

  it('because its folder cannot be made', async () => {
    await writeFile(join(folder, 'file'), '');
    await expect(open(null, join(folder, 'file', 'data'))).rejects.toMatchObject({
      code: 'storage_unavailable',
      message: expect.stringMatching(/The data folder .*file\/data cannot be made\. Check PAILOU_DATA_DIR/) as string,
    });
    await expect(open(`sqlite:${join(folder, 'file', 'deep', 'own.db')}`)).rejects.toMatchObject({ code: 'storage_unavailable' });
  });

  it('because the file, or its folder, is read-only', async () => {
    const database = await open();
    await migrate(database);
    await database.close();
    const path = join(folder, 'pailou.db');
    await chmod(folder, 0o555);
    await chmod(path, 0o444);
    expect(await startUnprivileged(folder)).toMatch(
      /^storage_unavailable: The database .*pailou\.db cannot be used: the file or its folder is read-only/,
    );
    if (process.getuid?.() === 0) {
      await chown(folder, 65_534, 65_534);
      await chown(path, 65_534, 65_534);
    }
    await chmod(folder, 0o755);
    expect(await startUnprivileged(folder)).toMatch(/^storage_unavailable: .*the file or its folder is read-only/);
    await chmod(path, 0o644);
    expect(await startUnprivileged(folder)).toBe('fine');
  });

  it('because the address is invalid', async () => {
    for (const url of ['mysql://root@localhost/pailou', 'sqlite:', 'sqlite::memory:', 'pailou.db']) {
      await expect(open(url)).rejects.toMatchObject({ code: 'configuration_invalid', param: 'PAILOU_DATABASE_URL' });
    }
  });

  it('is not one at another path, which is created with its folder', async () => {
    const database = await open(`sqlite:${join(folder, 'deep', 'own.db')}`);
    await migrate(database);
    await database.close();
    expect((await stat(join(folder, 'deep', 'own.db'))).isFile()).toBe(true);
  });
});

it('hands a large result over in parts, the next one only when it is asked for', async () => {
  const { place, database } = await migrated(sqlite);
  await using _place = place;
  const numbers =
    'with recursive numbers(value) as (select 1 union all select value + 1 from numbers where value < 501) select value from numbers';
  const expected = Array.from({ length: 501 }, (_value, index) => index + 1);
  const { rows } = await sql<{ value: number }>`${sql.raw(numbers)}`.execute(database.query);
  expect(rows.map(({ value }) => value)).toEqual(expected);

  const thread = new Worker(new URL('../../src/storage/sqlite/worker.ts', import.meta.url), {
    workerData: { path: join(place.dataDir, 'pailou.db') },
    execArgv: [],
  });
  const heard = async (): Promise<WorkerReply> => ((await once(thread, 'message')) as [WorkerReply])[0];
  await heard();
  const parts: unknown[][] = [];
  let request: WorkerRequest = { type: 'execute', id: 1, sql: numbers, parameters: [] };
  for (let more = true; more;) {
    thread.postMessage(request);
    const reply = await heard();
    if ('error' in reply) throw new Error(reply.error.message);
    parts.push([...reply.rows]);
    more = reply.more === true;
    request = { type: 'more', id: 1 };
  }
  await thread.terminate();
  expect(parts.map(({ length }) => length)).toEqual([200, 200, 101]);
  expect(parts.flat()).toEqual(expected.map((value) => ({ value })));
});
