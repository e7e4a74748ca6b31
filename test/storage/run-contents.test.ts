/** Inputs and outputs of runs, on both databases: sealed at rest, deleted in time, sealed again with a new master key. */
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Database } from '../../src/storage/database.ts';
import { rotateMaster } from '../../src/storage/rotate-master.ts';
import { expiredRows } from '../../src/storage/retention/expired-rows.ts';
import { createRunContents, type RunContents } from '../../src/storage/run-contents.ts';
import { createSecretBox, derivedKeys, type MasterKeys, masterKey } from '../../src/storage/secret-box.ts';
import { databaseKinds, migrated, type TestDatabase } from './databases.ts';

const first = masterKey(randomBytes(32));
const second = masterKey(randomBytes(32));
const old: MasterKeys = { current: first, old: [] };
const during: MasterKeys = { current: second, old: [first] };

for (const kind of databaseKinds) {
  describe.skipIf(kind.missing)(`contents of runs on ${kind.name}`, () => {
    let place: TestDatabase;
    let database: Database;

    beforeEach(async () => {
      ({ place, database } = await migrated(kind));
    });
    afterEach(() => place[Symbol.asyncDispose]());

    const open = (keys: MasterKeys): RunContents =>
      createRunContents({
        database,
        dataDir: place.dataDir,
        logger: place.logger,
        box: createSecretBox(derivedKeys(keys, 'run contents')),
      });

    it('are read back unchanged, and are stored nowhere as plain text', async () => {
      await using contents = open(old);
      contents.keep('one', 30, { input: { text: 'a \u0000 secret 🐉' }, output: ['answer'] });
      contents.keep('two', 30, { input: 'x'.repeat(300_000), output: null });
      await contents.flush();
      const found = await contents.read(['one', 'two', 'three']);
      expect(found.get('one')).toEqual({ input: { text: 'a \u0000 secret 🐉' }, output: ['answer'] });
      expect(found.get('two')).toMatchObject({ input: { cut: true, characters: 300_002 }, output: null });
      expect(found.size).toBe(2);
      const rows = await database.query.selectFrom('llm_run_content').selectAll().execute();
      expect(JSON.stringify(rows)).not.toMatch(/secret|answer/);
    });

    it('of thousands are read in order within the memory bound; the rest is marked as cut', async () => {
      await using contents = open(old);
      const ids = Array.from({ length: 120 }, (_, index) => `run-${index}`);
      for (const id of ids) contents.keep(id, 30, { input: 'x'.repeat(150_000), output: id });
      await contents.flush();
      const found = await contents.read(ids);
      expect([...found.keys()].toSorted()).toEqual(ids.toSorted());
      expect(found.get('run-0')?.output).toBe('run-0');
      expect(found.get('run-119')).toEqual({ input: { cut: true }, output: { cut: true } });
      expect(JSON.stringify([...found.values()]).length).toBeLessThan(16 * 1024 * 1024);
      expect((await contents.read(['run-119'])).get('run-119')?.output).toBe('run-119');
    });

    it('are deleted after their retention', async () => {
      await using contents = open(old);
      contents.keep('one', 1, { input: 1, output: 2 });
      await contents.flush();
      await database.query
        .updateTable('llm_run_content')
        .set({ expires_at: Date.now() - 1 })
        .execute();
      expect((await contents.read(['one'])).size).toBe(0);
      const expired = expiredRows(database, 'llm_run_content', Date.now());
      while (await expired.step());
      expect(await database.query.selectFrom('llm_run_content').select('id').execute()).toEqual([]);
    });

    it('are sealed again with the master key', async () => {
      {
        await using contents = open(old);
        contents.keep('one', 1, { input: 1, output: 2 });
        await contents.flush();
      }
      await rotateMaster(database, during);
      await using contents = open({ current: second, old: [] });
      expect((await contents.read(['one'])).get('one')).toEqual({ input: 1, output: 2 });
    });
  });
}
