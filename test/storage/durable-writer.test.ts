/** Large records on their way to the database: written a few at a time, within the memory limit. */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { createDurableWriter } from '../../src/storage/durable-writer.ts';
import type { RunContentTable } from '../../src/storage/schema.ts';
import { databaseKinds, migrated } from './databases.ts';

const megabytes = 1024 * 1024;

/** Each record reports a size of 3 MB. */
async function scene() {
  const [kind] = databaseKinds;
  if (kind === undefined) throw new Error('There is no database.');
  const { place, database } = await migrated(kind);
  const batches: number[] = [];
  const writer = createDurableWriter<RunContentTable>({
    name: 'heavy records',
    database,
    folder: join(place.dataDir, 'spool', 'heavy'),
    intervalMs: 20,
    logger: place.logger,
    rowsOf(rows) {
      batches.push(rows.length);
      return [{ table: 'llm_run_content', rows }];
    },
    insert: (rows) => database.insertMany(rows),
    sizeOf: () => 3 * megabytes,
  });
  const add = (count: number): void => {
    for (let index = 0; index < count; index++) writer.add({ id: `r${index}`, content: 'x', expires_at: Date.now() + 60_000 });
  };
  const stored = async (): Promise<number> => (await database.query.selectFrom('llm_run_content').select('id').execute()).length;
  return { writer, batches, add, stored, place };
}

it('large records are written a few at a time, and none is lost', async () => {
  const { writer, batches, add, stored, place } = await scene();
  add(60);
  await writer.flush();
  expect(writer.pending).toBe(0);
  await writer[Symbol.asyncDispose]();
  expect(Math.max(...batches)).toBe(2);
  expect(await stored()).toBe(60);
  await place[Symbol.asyncDispose]();
});

it('records beyond the memory limit are dropped, and later ones are accepted again', async () => {
  const { writer, add, stored, place } = await scene();
  add(500);
  expect(writer.pending).toBe(85);
  await writer.flush();
  for (let index = 0; index < 10; index++) writer.add({ id: `later-${index}`, content: 'x', expires_at: Date.now() + 60_000 });
  expect(writer.pending).toBe(10);
  await writer[Symbol.asyncDispose]();
  expect(await stored()).toBe(95);
  await place[Symbol.asyncDispose]();
});
