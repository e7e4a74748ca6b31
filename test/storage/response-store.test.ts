/** Stored responses on both databases: found by their own caller only, over nodes and restarts, until they are deleted or old. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Database } from '../../src/storage/database.ts';
import { expiredRows } from '../../src/storage/retention/expired-rows.ts';
import { createResponseStore, type ResponseStore, type StoredResponse } from '../../src/storage/response-store.ts';
import { databaseKinds, migrated, type TestDatabase } from './databases.ts';

const ming = { tenant: 'acme', issuer: 'https://auth.example', subject: 'u-1' };
const stored = (id: string): StoredResponse => ({
  id,
  messages: [
    { role: 'user', content: '你好 \u0000 🐉' },
    { role: 'assistant', content: 'Hi' },
  ],
  response: { id, object: 'response', output: [] },
});

for (const kind of databaseKinds) {
  describe.skipIf(kind.missing)(`stored responses on ${kind.name}`, () => {
    let place: TestDatabase;
    let database: Database;

    beforeEach(async () => {
      ({ place, database } = await migrated(kind));
    });
    afterEach(() => place[Symbol.asyncDispose]());

    const open = (more: { database?: Database } = {}): ResponseStore =>
      createResponseStore({ database, dataDir: place.dataDir, logger: place.logger, ...more });
    const rows = async (): Promise<number> => (await database.query.selectFrom('llm_response').select('id').execute()).length;

    it('are found immediately, on another node soon after, and after a restart', async () => {
      const one = open();
      one.keep(ming, stored('resp_1'));
      expect(await one.get(ming, 'resp_1')).toEqual(stored('resp_1'));
      const other = open({ database: await place.open() });
      expect(await other.get(ming, 'resp_1')).toEqual(stored('resp_1'));
      await one[Symbol.asyncDispose]();
      await other[Symbol.asyncDispose]();
      await using again = open();
      expect(await again.get(ming, 'resp_1')).toEqual(stored('resp_1'));
    });

    it('do not exist for other callers', async () => {
      await using store = open();
      store.keep(ming, stored('resp_1'));
      for (const other of [
        { ...ming, subject: 'u-2' },
        { ...ming, tenant: 'other' },
        { ...ming, issuer: 'https://other.example' },
      ]) {
        expect(await store.get(other, 'resp_1')).toBeNull();
        expect(await store.delete(other, 'resp_1')).toBe(false);
      }
      expect(await store.get(ming, 'resp_2')).toBeNull();
      expect(await store.get(ming, 'resp_1')).not.toBeNull();
    });

    it('do not reappear after a deletion right after the write', async () => {
      await using store = open();
      store.keep(ming, stored('resp_1'));
      expect(await store.delete(ming, 'resp_1')).toBe(true);
      expect(await store.get(ming, 'resp_1')).toBeNull();
      expect(await store.delete(ming, 'resp_1')).toBe(false);
      expect(await rows()).toBe(0);
    });

    it('are deleted when they are old', async () => {
      {
        await using store = open();
        store.keep(ming, stored('resp_1'));
      }
      expect(await rows()).toBe(1);
      await database.query
        .updateTable('llm_response')
        .set({ expires_at: Date.now() - 1 })
        .execute();
      await using again = open();
      expect(await again.get(ming, 'resp_1')).toBeNull();
      const expired = expiredRows(database, 'llm_response', Date.now());
      while (await expired.step());
      expect(await rows()).toBe(0);
    });

    it('are not found while the database is unreachable, with another error than unknown ones', async () => {
      const away = await place.open();
      const store = open({ database: away });
      await away.ping();
      await away.close();
      await expect(store.get(ming, 'resp_1')).rejects.toMatchObject({ code: 'storage_unavailable' });
      store.keep(ming, stored('resp_2'));
      expect(await store.get(ming, 'resp_2')).toEqual(stored('resp_2'));
      await store[Symbol.asyncDispose]();
    });
  });
}
