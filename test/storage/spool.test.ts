/** Files of records that wait for the database. */
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { createSpool } from '../../src/storage/spool.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pailou-spool-'));
});
afterEach(() => rm(folder, { recursive: true }));

const files = async (): Promise<string[]> => (await readdir(folder)).filter((name) => name.endsWith('.ndjson'));

it('many small files are drained together, oldest first, in groups of bounded size', async () => {
  const spool = createSpool<number>(folder);
  for (let file = 0; file < 500; file++) await spool.put(Array.from({ length: 10 }, (_record, index) => file * 10 + index));
  const groups: (readonly number[])[] = [];
  expect(await spool.drain(async (records) => void groups.push([...records]))).toBe(500);
  expect(groups.flat()).toEqual(Array.from({ length: 5_000 }, (_record, index) => index));
  expect(groups.map(({ length }) => length)).toEqual([2_000, 2_000, 1_000]);
  expect(await files()).toEqual([]);
});

it('large files are drained one by one', async () => {
  const spool = createSpool<string>(folder);
  const large = 'x'.repeat(5 * 1024 * 1024);
  for (let file = 0; file < 3; file++) await spool.put([large]);
  const groups: number[] = [];
  await spool.drain(async (records) => void groups.push(records.length));
  expect(groups).toEqual([1, 1, 1]);
});

it('a group that cannot be stored stays on disk with all files behind it', async () => {
  const spool = createSpool<number>(folder);
  for (let file = 0; file < 500; file++) await spool.put(Array.from({ length: 10 }, () => file));
  let taken = 0;
  await expect(
    spool.drain(async () => {
      if (++taken === 2) throw new Error('away');
    }),
  ).rejects.toThrow('away');
  expect(await files()).toHaveLength(300);
  const rest: number[] = [];
  expect(await spool.drain(async (records) => void rest.push(...records))).toBe(300);
  expect(rest[0]).toBe(200);
});

it('a damaged line is put aside, and the other records of its group are stored', async () => {
  const spool = createSpool<number>(folder);
  await spool.put([1]);
  await writeFile(join(folder, '000000000000001-1-000000.ndjson'), '0\n{"id":\n');
  await spool.put([2]);
  const taken: number[] = [];
  await spool.drain(async (records) => void taken.push(...records));
  expect(taken).toEqual([0, 1, 2]);
  expect(await readFile(join(folder, 'refused.txt'), 'utf8')).toBe('{"id":\n');
  expect(await files()).toEqual([]);
});
