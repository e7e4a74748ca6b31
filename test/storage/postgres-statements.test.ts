/** Statements of PostgreSQL leave nothing behind that outlives a collection of garbage, and none waits for ever. */
import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Kysely, PostgresDialect, sql } from 'kysely';
import pg from 'pg';
import { describe, expect, it } from 'vitest';
import { statementsByCallback } from '../../src/storage/postgres-statements.ts';
import { startBreakableProxy } from './breakable-proxy.ts';
import { postgresUrl } from './databases.ts';

const root = join(import.meta.dirname, '../..');

/** The share of bytes that survive a collection of young objects, over 4,000 transactions. They run in another process, in which nothing else allocates. */
async function survivingShare(url: string): Promise<number> {
  const program = `
    import { GCProfiler } from 'node:v8';
    import { sql } from 'kysely';
    import { openDatabase } from ${JSON.stringify(join(root, 'src/storage/open-database.ts'))};
    const silent = { debug() {}, info() {}, warn() {}, error() {}, child: () => silent };
    const database = await openDatabase({ url: process.env.URL_OF_TEST, dataDir: '', logger: silent });
    const transactions = async (count) => {
      for (let done = 0; done < count; done++)
        await database.query.transaction().execute((transaction) => sql\`select \${done}::int as number\`.execute(transaction));
    };
    await transactions(1_000);
    const profiler = new GCProfiler();
    profiler.start();
    await transactions(4_000);
    const used = ({ heapSpaceStatistics }, name) => heapSpaceStatistics.find(({ spaceName }) => spaceName === name).spaceUsedSize;
    let [before, after] = [0, 0];
    for (const { gcType, beforeGC, afterGC } of profiler.stop().statistics) {
      if (gcType !== 'Scavenge') continue;
      before += used(beforeGC, 'new_space');
      after += used(afterGC, 'new_space') + used(afterGC, 'old_space') - used(beforeGC, 'old_space');
    }
    console.log(JSON.stringify([before, after]));
    await database.close();
  `;
  const { stdout } = await promisify(execFile)(join(root, 'node_modules/.bin/node'), ['--input-type=module', '-e', program], {
    cwd: root,
    env: { ...process.env, URL_OF_TEST: url },
  });
  const [before, after] = JSON.parse(stdout) as [number, number];
  expect(before).toBeGreaterThan(10_000_000);
  return after / before;
}

describe.skipIf(postgresUrl === undefined)('a statement of PostgreSQL', () => {
  it('is garbage at once when it has ended', async () => {
    // 0.01. By the promises of `pg` with its timeout 0.19, and each collection takes ten times as long.
    expect(await survivingShare(postgresUrl ?? '')).toBeLessThan(0.05);
  });

  it('fails when no answer comes, and the next one has another connection; an answered one keeps its connection', async () => {
    const url = new URL(postgresUrl ?? '');
    await using proxy = await startBreakableProxy({ host: url.hostname, port: Number(url.port) });
    url.port = String(proxy.port);
    url.hostname = '127.0.0.1';
    const pool = new pg.Pool({ connectionString: url.href, max: 1 });
    pool.on('connect', (client) => client.on('error', () => {}));
    const patienceMs = 3_000;
    const query = new Kysely<object>({ dialect: new PostgresDialect({ pool: statementsByCallback(pool, patienceMs) }) });
    const backend = async (): Promise<number | undefined> =>
      (await sql<{ pid: number }>`select pg_backend_pid() as pid`.execute(query)).rows[0]?.pid;
    const first = await backend();
    await new Promise((resolve) => setTimeout(resolve, 1.2 * patienceMs));
    expect(await backend()).toBe(first);
    proxy.stall();
    await expect(query.transaction().execute((transaction) => sql`select 1`.execute(transaction))).rejects.toThrow('terminated');
    await proxy.restore();
    expect(await backend()).not.toBe(first);
    await expect(sql`select nothing`.execute(query)).rejects.toMatchObject({ code: '42703' });
    await query.destroy();
  });
});
