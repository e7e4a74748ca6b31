/** Calls in flight on a node that died are recorded once, by another node. */
import { mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createInFlightRuns, type InFlightRuns } from '../../src/storage/in-flight-runs.ts';
import { openRunsOf } from '../../src/storage/open-run-lines.ts';
import type { RunRecord } from '../../src/types/run.ts';
import { eventually } from '../whole/gateway.ts';
import { memoryLogger } from './databases.ts';
import { runRecord } from './records.ts';

let dataDir: string;
let opened: InFlightRuns[];
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'pailou-open-'));
  opened = [];
});
afterEach(async () => {
  for (const each of opened) await each[Symbol.asyncDispose]();
  await rm(dataDir, { recursive: true });
});

const files = (): Promise<string[]> => readdir(join(dataDir, 'open-runs')).catch(() => []);
const runOf = (record: RunRecord = runRecord({ outcome: 'error', error: 'internal_error' })) => ({ id: record.id, snapshot: () => record });

function start(deadAfterMs = 60_000) {
  const recorded: RunRecord[] = [];
  const logger = memoryLogger();
  // The records that are not stored, and the age of their batch.
  const writer = { waiting: [] as RunRecord[], batchMs: 0 };
  const stored = {
    unwritten: () => writer.waiting,
    get batchMs() {
      return writer.batchMs;
    },
    flush: async () => {},
  };
  const ledger = { record: (run: RunRecord) => recorded.push(run) };
  const runs = createInFlightRuns({ ledger, stored, dataDir, logger, everyMs: 20, lateAfterMs: 50, deadAfterMs });
  opened.push(runs);
  return { runs, recorded, logger, writer };
}
/** Makes the file look like that of a long dead writer. */
async function age(): Promise<void> {
  for (const name of await files()) await utimes(join(dataDir, 'open-runs', name), new Date(0), new Date(0));
}

it('a stream that ends leaves nothing behind', async () => {
  const { runs, recorded } = start();
  const run = runOf();
  runs.begun(run);
  await eventually(files, (names) => names.length === 1);
  runs.record(run.snapshot());
  expect(recorded.map(({ id }) => id)).toEqual([run.id]);
  await eventually(files, (names) => names.length === 0);
});

it('a node that stops normally removes its file', async () => {
  const { runs } = start();
  const run = runOf();
  runs.begun(run);
  await eventually(files, (names) => names.length === 1);
  runs.record(run.snapshot());
  await runs[Symbol.asyncDispose]();
  expect(await files()).toEqual([]);
});

it('runs of a dead node are recorded once, by one of the nodes that find them', async () => {
  const dead = start();
  const left = [runOf(), runOf()];
  for (const run of left) dead.runs.begun(run);
  await eventually(files, (names) => names.some((name) => name.endsWith('.ndjson')));
  // Its writer has stopped.
  await dead.runs[Symbol.asyncDispose]();
  await age();
  const finders = [start(), start(), start()];
  const recorded = () => finders.flatMap((finder) => finder.recorded);
  await eventually(
    async () => recorded().length,
    (count) => count === 2,
  );
  expect(new Set(recorded().map(({ id }) => id))).toEqual(new Set(left.map(({ id }) => id)));
  expect(recorded()[0]).toEqual(left.find(({ id }) => id === recorded()[0]?.id)?.snapshot());
  await eventually(files, (names) => names.length === 0);
});

it('files of a live node are left alone', async () => {
  const alive = start();
  alive.runs.begun(runOf());
  await eventually(files, (names) => names.length === 1);
  // Its file is rewritten fifty times before it counts as old, so that a slow machine does not age it.
  const other = start(1_000);
  await new Promise((resolve) => setTimeout(resolve, 1_500));
  expect(other.recorded).toEqual([]);
});

it('a file of a live node is left alone when the clock of the finder was stepped by hours, in either direction', async () => {
  const folder = join(dataDir, 'open-runs');
  await mkdir(folder, { recursive: true });
  const path = join(folder, 'other.ndjson');
  const run = runRecord();
  // What the first look removes, so that the file appears after it.
  await writeFile(join(folder, 'old.part'), '');
  await age();
  const { recorded } = start(2_000);
  await eventually(files, (names) => names.length === 0);
  await writeFile(path, `${JSON.stringify(run)}\n`);
  for (const hours of [6, -6]) {
    // Its writer changes it on and on, by its own clock.
    for (let written = 0; written < 60; written++) {
      const moment = new Date(Date.now() - hours * 3_600_000 + written);
      await utimes(path, moment, moment);
      await new Promise((resolve) => setTimeout(resolve, 25));
    }
    expect(recorded).toEqual([]);
  }
  // Then it dies.
  await eventually(files, (names) => names.length === 0);
  expect(recorded).toEqual([run]);
});

it('files of a node that died during a takeover or while it wrote its first one are taken over too; one that is written again is discarded', async () => {
  const folder = join(dataDir, 'open-runs');
  await mkdir(folder, { recursive: true });
  const [run, first, other] = [runRecord(), runRecord(), runRecord()];
  await writeFile(join(folder, 'x.taken'), `${JSON.stringify(run)}\n`);
  await writeFile(join(folder, 'y.ndjson.part'), `${JSON.stringify(first)}\n{"id":`);
  await writeFile(join(folder, 'z.ndjson'), `${JSON.stringify(other)}\n`);
  await writeFile(join(folder, 'z.ndjson.part'), `${JSON.stringify(other)}\n`);
  await age();
  const { recorded } = start(90);
  await eventually(files, (names) => names.length === 0);
  expect(recorded).toHaveLength(3);
  expect(recorded).toEqual(expect.arrayContaining([run, first, other]));
});

it('a folder that cannot be written fails no call, and is logged once', async () => {
  await writeFile(join(dataDir, 'open-runs'), 'in the way');
  const { runs, logger, recorded } = start();
  const run = runOf();
  runs.begun(run);
  await eventually(
    async () => logger.lines.length,
    (count) => count > 0,
  );
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(logger.lines).toHaveLength(1);
  runs.record(run.snapshot());
  expect(recorded).toHaveLength(1);
});

/** What another process would record if this one died now. */
async function takenOver(): Promise<string[]> {
  const [name] = (await files()).filter((each) => each.endsWith('.ndjson'));
  if (name === undefined) return [];
  // The file may have been removed in between.
  const text = await readFile(join(dataDir, 'open-runs', name), 'utf8').catch(() => '');
  return openRunsOf(text).map(({ id, outcome }) => `${id} ${outcome}`);
}
const sees = (...lines: string[]) =>
  eventually(takenOver, (found) => JSON.stringify(found.toSorted()) === JSON.stringify(lines.toSorted()));

it('a stream that has ended stays in the file until its record is stored', async () => {
  const { runs, writer } = start();
  const [ending, other] = [runRecord({ outcome: 'error' }), runRecord({ outcome: 'error' })];
  for (const record of [ending, other]) runs.begun(runOf(record));
  await sees(`${ending.id} error`, `${other.id} error`);
  const record = { ...ending, outcome: 'complete' as const };
  writer.waiting = [record];
  runs.record(record);
  await sees(`${ending.id} complete`, `${other.id} error`);
  writer.waiting = [];
  await sees(`${other.id} error`);
  // The file begins anew with the unstored record.
  const last = { ...other, outcome: 'complete' as const };
  writer.waiting = [last];
  runs.record(last);
  await sees(`${other.id} complete`);
  writer.waiting = [];
  await eventually(files, (names) => names.length === 0);
});

it('records that wait for a slow database are in the file, and leave it when they are stored', async () => {
  const { writer } = start();
  const records = [runRecord(), runRecord()];
  writer.waiting = records;
  writer.batchMs = 10_000;
  await sees(...records.map(({ id, outcome }) => `${id} ${outcome}`));
  writer.waiting = records.slice(1);
  await sees(...records.slice(1).map(({ id, outcome }) => `${id} ${outcome}`));
  Object.assign(writer, { waiting: [], batchMs: 0 });
  await eventually(files, (names) => names.length === 0);
});

it('the file of a dead node stays until its runs are stored', async () => {
  const run = runRecord();
  await mkdir(join(dataDir, 'open-runs'), { recursive: true });
  await writeFile(join(dataDir, 'open-runs', 'dead.ndjson'), `${JSON.stringify(run)}\n`);
  await age();
  const { recorded, writer } = start(90);
  writer.waiting = [run];
  await eventually(
    async () => recorded.length,
    (count) => count > 1,
  );
  expect(await files()).toHaveLength(1);
  writer.waiting = [];
  await eventually(files, (names) => names.length === 0);
});

/** The characters of the file of this process. */
const size = async (): Promise<number> => {
  const [name] = (await files()).filter((each) => each.endsWith('.ndjson'));
  return name === undefined ? 0 : (await readFile(join(dataDir, 'open-runs', name), 'utf8')).length;
};

it('runs without progress are written once, and a change writes the changed run alone', async () => {
  const { runs } = start();
  const records = Array.from({ length: 50 }, () => ({ ...runRecord({ outcome: 'error', error: 'internal_error' }) }));
  const looks = records.map(() => 0);
  for (const [index, record] of records.entries())
    runs.begun({ id: record.id, snapshot: () => ((looks[index] = (looks[index] ?? 0) + 1), record) });
  const first = await eventually(size, (count) => count > 0);
  const later = (looks[0] ?? 0) + 3;
  await eventually(
    async () => looks[0] ?? 0,
    (count) => count >= later,
  );
  expect(await size(), 'nothing is appended for runs without progress').toBe(first);
  const [record] = records;
  if (record === undefined) throw new Error('there is no run');
  Object.assign(record, { usage: { inputTokens: 1, outputTokens: 77 } });
  expect(await eventually(size, (count) => count > first)).toBe(first + JSON.stringify(record).length + 1);
});

it('of a dead node, ended runs are left out, the newest state of each other counts, and a cut line is no obstacle', async () => {
  const [one, two] = [runRecord({ outcome: 'error' }), runRecord({ outcome: 'error' })];
  const lines = [one, two, { ...two, usage: { inputTokens: 1, outputTokens: 9 } }, { id: one.id, ended: true }];
  await mkdir(join(dataDir, 'open-runs'), { recursive: true });
  const text = `${lines.map((line) => JSON.stringify(line)).join('\n')}\n{"id":"cut","outc`;
  await writeFile(join(dataDir, 'open-runs', 'dead.ndjson'), text);
  await age();
  const { recorded } = start();
  await eventually(
    async () => recorded.length,
    (count) => count > 0,
  );
  expect(recorded.map(({ id, usage }) => [id, usage?.outputTokens])).toEqual([[two.id, 9]]);
});
