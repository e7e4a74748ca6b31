/** The file of the last good configuration survives a crash at any byte, and costs the size of a change. */
import { appendFile, mkdtemp, readFile, rm, stat, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createLastGood } from '../../src/config/last-good/keep.ts';
import { readLastGood } from '../../src/config/last-good/read.ts';
import { RowSet } from '../../src/config/row-set.ts';
import type { ConfigRow } from '../../src/types/resources.ts';
import { memoryLogger } from '../storage/databases.ts';
import { configRow } from './scene.ts';

let dataDir: string;
beforeEach(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'pailou-last-good-'));
});
afterEach(() => rm(dataDir, { recursive: true, force: true }));

const path = () => join(dataDir, 'last-good.jsonl');
const model = (name: string, text = 'a') => configRow('model', name, { text, 说明: '模型', separators: '\u2028\u2029\r' });
const models = (count: number) => Array.from({ length: count }, (_, index) => model(`m-${index}`));
const created = (after: ConfigRow) => ({ kind: after.kind, tenant: after.tenant, before: null, after });
const names = (rows: readonly ConfigRow[]) => rows.map(({ name, spec }) => `${name} ${String(spec['text'])}`).toSorted();

async function kept(revisions: readonly RowSet[]): Promise<number[]> {
  const sizes: number[] = [];
  const file = createLastGood({ dataDir, logger: memoryLogger() });
  for (const [index, rows] of revisions.entries()) {
    file.keep(index + 1, rows);
    await file.settled();
    sizes.push((await stat(path())).size);
  }
  await file.close();
  return sizes;
}

it('restores the last complete revision after a crash at any byte of the appended part', async () => {
  const first = RowSet.of(models(3));
  const second = first.with([created(model('m-1', 'b')), created(model('new'))]);
  const third = second.with([{ kind: 'model', tenant: 'default', before: model('m-0'), after: null }]);
  const sizes = await kept([first, second, third]);
  const whole = await readFile(path());
  const [one = 0, two = 0, three = 0] = sizes;
  expect(three).toBe(whole.length);
  for (let length = one; length <= three; length++) {
    await writeFile(path(), whole);
    await truncate(path(), length);
    const state = await readLastGood(dataDir);
    // The last line counts without its line feed.
    const [revision, rows] = length >= three - 1 ? [3, third] : length >= two - 1 ? [2, second] : [1, first];
    expect(state?.revision, `cut after ${length} of ${three} bytes`).toBe(revision);
    expect(names(state?.rows ?? [])).toEqual(names([...rows.all()]));
  }
});

it('a cut first write is no configuration, and the earlier file stays until the new one is whole', async () => {
  const rows = RowSet.of(models(3));
  const [one = 0] = await kept([rows]);
  await truncate(path(), one - 5);
  await expect(readLastGood(dataDir)).rejects.toThrow(/damaged/);
});

it('a damaged line in the middle ends the file there', async () => {
  const first = RowSet.of(models(3));
  const second = first.with([created(model('new'))]);
  const [one = 0] = await kept([first, second]);
  const whole = await readFile(path());
  whole[one + 20] = whole[one + 20] === 0x61 ? 0x62 : 0x61;
  await writeFile(path(), whole);
  expect((await readLastGood(dataDir))?.revision).toBe(1);
});

it('a change of one row appends that row, whatever the number of the others', async () => {
  const appended: number[] = [];
  for (const count of [10, 2_000]) {
    const rows = RowSet.of(models(count));
    const [one = 0, two = 0] = await kept([rows, rows.with([created(model('m-1', 'b'))])]);
    appended.push(two - one);
  }
  expect(appended[1]).toBe(appended[0]);
  expect(appended[0]).toBeLessThan(1_000);
});

it('many changes of one row do not let the file grow: it is folded, and changes during the fold are kept', async () => {
  let rows = RowSet.of(models(50));
  const file = createLastGood({ dataDir, logger: memoryLogger() });
  const large = 'x'.repeat(10_000);
  for (let revision = 1; revision <= 400; revision++) {
    rows = rows.with([created(model('m-1', `${large}${revision}`))]);
    file.keep(revision, rows);
    if (revision % 10 === 0) await file.settled();
    else await new Promise((resolve) => setImmediate(resolve));
  }
  await file.close();
  expect((await stat(path())).size).toBeLessThan(1_500_000);
  const state = await readLastGood(dataDir);
  expect(state?.revision).toBe(400);
  expect(names(state?.rows ?? [])).toEqual(names([...rows.all()]));
});

it('reads the file of an earlier version, and replaces it', async () => {
  await writeFile(join(dataDir, 'last-good.json'), JSON.stringify({ version: 2, revision: 5, rows: models(2) }));
  expect((await readLastGood(dataDir))?.revision).toBe(5);
  await kept([RowSet.of(models(2))]);
  await expect(stat(join(dataDir, 'last-good.json'))).rejects.toThrow(/ENOENT/);
  expect((await readLastGood(dataDir))?.revision).toBe(1);
});

it('after a write that failed, the next one is whole', async () => {
  const logger = memoryLogger();
  const file = createLastGood({ dataDir, logger });
  const first = RowSet.of(models(2));
  file.keep(1, first);
  await file.settled();
  // Another program cuts the file and leaves half a line.
  await appendFile(path(), '1234');
  await file.close();
  const again = createLastGood({ dataDir, logger });
  again.keep(2, first.with([created(model('new'))]));
  await again.close();
  expect((await readLastGood(dataDir))?.rows).toHaveLength(3);
});
