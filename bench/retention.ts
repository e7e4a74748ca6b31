/**
 * npm run bench:retention -- [--runs 10000000] [--postgres <url of an empty database>] [--data <folder>]: a large ledger, its size, its first
 * pages and reports, and its retention with a kill -9 in the middle. `--size`: only its size. `--batch 50` writes in small transactions, as the
 * ledger does. `--filled` measures a database that an earlier run filled. `--snapshot` holds a transaction open while old data is deleted, as a
 * dump does. Not part of `npm test`.
 */
import { spawn } from 'node:child_process';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { type Kysely, sql } from 'kysely';
import type { Database } from '../src/storage/database.ts';
import { migrate } from '../src/storage/migrate.ts';
import { addMonth, monthStart } from '../src/storage/migrations/month-partitions.ts';
import { openDatabase } from '../src/storage/open-database.ts';
import { pruneTasks } from '../src/storage/retention/retention.ts';
import { tableSizes } from '../src/storage/retention/table-sizes.ts';
import { createRollupReader } from '../src/storage/rollup-reader.ts';
import { createRunReader } from '../src/storage/run-reader.ts';
import { createUsageReader } from '../src/storage/usage-reader.ts';
import type { Logger } from '../src/types/logger.ts';
import { watchLoop } from './held-loop.ts';
import { makeRuns } from './many-runs.ts';

const silent: Logger = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {}, child: () => silent };
const day = 86_400_000;
const { values } = parseArgs({
  options: {
    runs: { type: 'string', default: '10000000' },
    days: { type: 'string', default: '365' },
    people: { type: 'string', default: '300' },
    session: { type: 'string', default: '20' },
    batch: { type: 'string', default: '100000' },
    'keep-days': { type: 'string', default: '335' },
    size: { type: 'boolean', default: false },
    filled: { type: 'boolean', default: false },
    snapshot: { type: 'boolean', default: false },
    postgres: { type: 'string' },
    data: { type: 'string' },
    prune: { type: 'boolean', default: false },
  },
});
const runs = Number(values.runs);
const dataDir = values.data ?? (await mkdtemp(join(tmpdir(), 'pailou-retention-')));
const say = (text: string): boolean => process.stdout.write(`${text}\n`);
const open = (): Promise<Database> => openDatabase({ url: values.postgres ?? null, dataDir, logger: silent });
const limits = { runsDays: Number(values['keep-days']), runsGb: null, hoursDays: 60, historyDays: 365 };

/** Runs `work`, and says how long it took and how long it held the event loop at most. */
async function timed<T>(name: string, work: () => Promise<T>): Promise<T> {
  const held = watchLoop();
  await delay(20);
  held.most();
  const start = performance.now();
  const result = await work();
  const took = performance.now() - start;
  await delay(20);
  say(`${name.padEnd(60)} ${took.toFixed(1).padStart(10)} ms   loop held at most ${held.most().toFixed(1)} ms`);
  held.stop();
  return result;
}

/** Everything that must outlive the runs. */
async function dailySums(database: Database): Promise<string> {
  const { rows } = await sql`select sum(runs) as runs, sum(input_tokens) as input, sum(cost) as cost,
    (select sum(cost) from llm_spend where span = 'day') as spend, (select sum(runs) from llm_rollup_day) as rolled_up from llm_usage_day`.execute(
    database.query,
  );
  return JSON.stringify(rows[0], (_key, value: unknown) => (typeof value === 'bigint' ? String(value) : value));
}

async function pruneAll(database: Database): Promise<void> {
  const held = watchLoop();
  const loop = (): string => `loop held at most ${held.most().toFixed(1)} ms, delayed at most ${held.delayed().toFixed(1)} ms`;
  await delay(20);
  loop();
  // What the machine and the measurement do without any step.
  await delay(5_000);
  say(`  idle for five seconds: ${loop()}`);
  const names = [
    'monthly partitions',
    'old runs',
    'sums by hour',
    'adjustments by hour',
    'sums of teams by hour',
    'failed attempts by hour',
    'sums by quarter hour',
    'history',
    'contents of runs',
    'stored responses',
    'free pages',
    'indexes of past months',
  ];
  for (const [index, task] of pruneTasks(database, limits).entries()) {
    const steps: number[] = [];
    const slow: string[] = [];
    loop();
    for (;;) {
      const start = performance.now();
      const more = await task.step();
      const took = performance.now() - start;
      if (!more) break;
      steps.push(took);
      if (took > 50) slow.push(`${steps.length}: ${took.toFixed(0)} ms`);
      if (process.send !== undefined && steps.length % 20 === 0) process.send(steps.length);
    }
    if (steps.length === 0) continue;
    steps.sort((one, other) => one - other);
    const part = (share: number): string => (steps[Math.floor((steps.length - 1) * share)] ?? 0).toFixed(1);
    say(
      `  ${(names[index] ?? '').padEnd(24)} ${String(steps.length).padStart(8)} steps: half of them within ${part(0.5)} ms, 99 % ${part(0.99)} ms, longest ${part(1)} ms; ${loop()}`,
    );
    if (slow.length > 0)
      say(`    steps over 50 ms by number: ${slow.slice(0, 20).join(', ')}${slow.length > 20 ? ` and ${slow.length - 20} more` : ''}`);
  }
  held.stop();
}

/** Starts the pruning in a process of its own and kills it in the middle. */
async function killInTheMidst(): Promise<void> {
  const args = ['--prune', ...process.argv.slice(2), '--data', dataDir];
  const child = spawn(process.execPath, [import.meta.filename, ...args], { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
  await new Promise<void>((resolve) => {
    child.once('message', () => child.kill('SIGKILL'));
    child.once('exit', () => resolve());
  });
}

/** Sums by quarter hour go after some days, and later ones use their space again, as in an installation that grew so. */
async function pruneQuarters(database: Database, now: number): Promise<void> {
  const nothing = { runsDays: null, runsGb: null, hoursDays: null, historyDays: null };
  let steps = 0;
  for (const task of pruneTasks(database, nothing, () => now)) while (await task.step()) steps++;
  if (steps > 0 && database.kind === 'postgres') await sql`vacuum llm_spend`.execute(database.query);
}

/** Partitions of past months, as an installation of that age has them. */
async function addMonths({ query }: Database, days: number): Promise<void> {
  const first = monthStart(Date.now() - days * day);
  for (let start = first; start < monthStart(Date.now()); start = monthStart(start, 1))
    await query.transaction().execute((transaction) => addMonth(transaction as unknown as Kysely<unknown>, 'llm_run_fact', start));
}

/** Runs `work` while another connection holds a transaction open that reads the database as it was. */
async function withSnapshot(work: () => Promise<void>): Promise<void> {
  const other = await open();
  await other.query
    .transaction()
    .setAccessMode('read only')
    .setIsolationLevel('repeatable read')
    .execute(async (snapshot) => {
      await sql`select count(*) from llm_run_person`.execute(snapshot);
      await work();
    });
  await other.close();
}

async function main(): Promise<void> {
  const database = await open();
  if (values.prune) {
    await pruneAll(database);
    return database.close();
  }
  await migrate(database);
  if (!values.filled) await fill(database);
  if (values.size) return database.close();
  await measure(database);
  await database.close();
}

async function fill(database: Database): Promise<void> {
  const start = performance.now();
  const days = Number(values.days);
  if (database.kind === 'postgres') await addMonths(database, days);
  const many = {
    runs,
    days,
    people: Number(values.people),
    models: 5,
    session: Number(values.session),
    batch: Number(values.batch),
    now: Date.now(),
  };
  for await (const made of makeRuns(database, many)) {
    await pruneQuarters(database, many.now - (1 - made / runs) * days * day);
    if (made % Math.max(1_000_000, many.batch) === 0) say(`${made} runs after ${((performance.now() - start) / 1_000).toFixed(0)} s`);
  }
  if (database.kind === 'postgres') await sql`analyze`.execute(database.query);
  const sizes = await tableSizes(database);
  const bytes = [...sizes].reduce((sum, [name, size]) => (name === 'free' ? sum : sum + size), 0);
  for (const [name, size] of sizes) if (size > 1_000_000) say(`  ${name.padEnd(24)} ${(size / 1e6).toFixed(0).padStart(8)} MB`);
  say(`${runs} runs: ${(bytes / 1e9).toFixed(2)} GB, ${(bytes / 1e9 / (runs / 1e6)).toFixed(3)} GB for each million`);
}

async function measure(database: Database): Promise<void> {
  const reader = createRunReader(database, { read: () => Promise.resolve(new Map()) });
  const query = { tenant: 'default', owner: null, after: null, limit: 50 };
  const page = await timed('first page of runs', () => reader.list({ ...query, filter: {} }));
  await timed('one run', () => reader.get('default', page.data[25]?.id ?? '', null));
  await timed('runs of a model that nobody called', () => reader.list({ ...query, filter: { capability: 'model/none' } }));
  await timed('runs of a person', () =>
    reader.list({ ...query, owner: { issuer: page.data[0]?.issuer ?? '', subject: page.data[0]?.subject ?? '' }, filter: {} }),
  );
  await timed('failed runs', () => reader.list({ ...query, filter: { outcome: 'error' } }));
  const today = Math.floor(Date.now() / day);
  const usage = { tenant: 'default', person: null, after: null, limit: 1_000 };
  const report = createUsageReader(database);
  await timed('usage of this month by day, user and model', () =>
    report.report({ ...usage, from: today - 30, to: today + 1, by: ['day', 'user', 'model'] }),
  );
  await timed('usage of a year by day, user and model, first page', () =>
    report.report({ ...usage, from: today - 366, to: today + 1, by: ['day', 'user', 'model'] }),
  );
  const rollups = createRollupReader(database);
  const series = { tenant: 'default', person: null, only: {}, top: 10, by: ['model'] as const };
  await timed('series of a day by hour and model', () =>
    rollups.series({ ...series, step: 'hour', from: (today - 1) * day, to: (today + 1) * day }),
  );
  await timed('series of 90 days by day and user', () =>
    rollups.series({ ...series, by: ['user'], step: 'day', from: (today - 90) * day, to: (today + 1) * day }),
  );

  const before = await dailySums(database);
  say('\npruning, killed with -9 in the middle, then to its end:');
  await killInTheMidst();
  const between = await dailySums(database);
  await (values.snapshot ? withSnapshot(() => pruneAll(database)) : pruneAll(database));
  const after = await dailySums(database);
  say(before === between && before === after ? 'daily sums: unchanged' : `DAILY SUMS DIFFER:\n${before}\n${between}\n${after}`);
  if (before !== between || before !== after) process.exitCode = 1;
}

await main();
