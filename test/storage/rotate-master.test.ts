/** Rotation of the master key on both databases: complete, without loss, and repeatable after a stop. */
import { randomBytes } from 'node:crypto';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createConfigStore } from '../../src/storage/config-store.ts';
import type { Database } from '../../src/storage/database.ts';
import { countSealed, rotateMaster } from '../../src/storage/rotate-master.ts';
import { sealedIn } from '../../src/storage/sealed-json.ts';
import {
  createSecretBox,
  derivedKeys,
  isSealed,
  masterKey,
  type MasterKeys,
  rowContext,
  type Sealed,
} from '../../src/storage/secret-box.ts';
import { createSessionStore } from '../../src/storage/session-store.ts';
import type { Actor } from '../../src/types/config-store.ts';
import type { ConfigRow } from '../../src/types/resources.ts';
import { databaseKinds, migrated, type TestDatabase } from './databases.ts';

const [first, second] = [masterKey(randomBytes(32)), masterKey(randomBytes(32))];
const before: MasterKeys = { current: first };
const during: MasterKeys = { current: second, old: [first] };
const after: MasterKeys = { current: second };
const actor: Actor = { subject: 'u-1', username: 'U', tenant: 'acme', requestId: 'r-1' };

function provider(index: number, keys: MasterKeys, revision: number): ConfigRow {
  const place = { id: `id-${String(index).padStart(4, '0')}`, tenant: index % 2 === 0 ? 'acme' : 'rival' };
  return {
    ...place,
    kind: index % 3 === 0 ? 'mcp' : 'provider',
    name: `p-${index}`,
    spec: {
      kind: 'openai',
      note: 'a "$sealed" word, {"$sealed":"v1.x"}',
      options: { api_key: createSecretBox(keys).seal(`secret ${index}`, rowContext(place)) },
    },
    enabled: true,
    owner: null,
    revision,
    createdAt: '2026-11-24T00:00:00.000Z',
    createdBy: 'u-1',
    updatedAt: '2026-11-24T00:00:00.000Z',
    updatedBy: 'u-1',
  };
}

const keyOf = (row: ConfigRow): Sealed => {
  const sealed = (row.spec['options'] as { api_key: unknown }).api_key;
  if (!isSealed(sealed)) throw new Error('not sealed');
  return sealed;
};
const openRow = (row: ConfigRow, keys: MasterKeys): string => createSecretBox(keys).open(keyOf(row), rowContext(row));

for (const kind of databaseKinds) {
  describe.skipIf(kind.missing)(`the master key on ${kind.name}`, () => {
    let place: TestDatabase;
    let database: Database;
    const many = 230;

    beforeEach(async () => {
      ({ place, database } = await migrated(kind));
      const rows = Array.from({ length: many }, (_, index) => provider(index, before, 1));
      await createConfigStore(database).commit(
        0,
        rows.map((row) => ({ kind: row.kind, tenant: row.tenant, before: null, after: row })),
        actor,
        'all',
      );
      const sessions = createSessionStore(database, createSecretBox(derivedKeys(before, 'sessions')));
      for (let index = 0; index < 3; index++)
        await sessions.create(
          `s-${index}`,
          {
            issuer: 'i',
            subject: 'u',
            tokens: { access: `token ${index}`, refresh: null, id: null },
            sid: null,
            expiresAt: 5_000_000_000_000,
          },
          1,
        );
    });
    afterEach(() => place[Symbol.asyncDispose]());

    const everything = async (): Promise<string> => {
      const tables = ['llm_provider_config', 'llm_mcp_config', 'llm_config_history', 'llm_session'] as const;
      const rows = await Promise.all(tables.map((table) => database.query.selectFrom(table).selectAll().execute()));
      return JSON.stringify(rows.map((each) => each.toSorted((one, other) => (JSON.stringify(one) < JSON.stringify(other) ? -1 : 1))));
    };

    it('is rotated for every value: rows, history and sessions; then the old key is not needed', async () => {
      expect(await countSealed(database, during)).toMatchObject({ values: 2 * many + 3, old: 2 * many + 3, damaged: [] });
      const { changed, left } = await rotateMaster(database, during);
      expect(changed).toBe(2 * many + 3);
      expect(left).toEqual({ values: 2 * many + 3, old: 0, unknown: new Map(), damaged: [] });
      expect(await everything()).not.toContain(first.id);
      const store = createConfigStore(database, createSecretBox(after));
      const { rows } = await store.load();
      expect(rows.map((row) => openRow(row, after)).toSorted()).toEqual(
        Array.from({ length: many }, (_, index) => `secret ${index}`).toSorted(),
      );
      expect(rows[0]?.spec['note']).toBe('a "$sealed" word, {"$sealed":"v1.x"}');
      const written = (await store.changesSince(0)).map((entry) => openRow(entry.after as ConfigRow, after));
      expect(written.every((text) => text.startsWith('secret '))).toBe(true);
      const sessions = createSessionStore(database, createSecretBox(derivedKeys(after, 'sessions')));
      expect((await sessions.find('s-1', 2))?.tokens.access).toBe('token 1');
      // A second run finds nothing to do.
      expect((await rotateMaster(database, during)).changed).toBe(0);
      const auditEntries = await database.query.selectFrom('llm_audit').selectAll().where('act', '=', 'master key rotated').execute();
      expect(auditEntries.map(({ tenant, detail }) => `${tenant}: ${detail}`).toSorted()).toEqual([
        `acme: ${many} values sealed with key ${second.id}`,
        `rival: ${many} values sealed with key ${second.id}`,
      ]);
    });

    it('a value and its copy in the history stay the same text, so that a rollback sees no change', async () => {
      await rotateMaster(database, during);
      const rows = await database.query.selectFrom('llm_provider_config').selectAll().execute();
      const history = await database.query.selectFrom('llm_config_history').selectAll().execute();
      const texts = new Set(history.flatMap((entry) => sealedIn(entry.after ?? '')).map(({ $sealed }) => $sealed));
      for (const row of rows) expect(texts).toContain(sealedIn(row.spec)[0]?.$sealed);
    });

    it('a node with both keys reads the same texts before and after, so it writes nothing back under the old one', async () => {
      const store = createConfigStore(database, createSecretBox(during));
      const early = (await store.load()).rows.toSorted((one, other) => (one.id < other.id ? -1 : 1));
      await rotateMaster(database, during);
      const late = (await store.load()).rows.toSorted((one, other) => (one.id < other.id ? -1 : 1));
      expect(late).toEqual(early);
      expect(early.every((row) => keyOf(row).$sealed.startsWith(`v1.${second.id}.`))).toBe(true);
    });

    it('stopped half-way: both keys decrypt everything, and a second run completes it', async () => {
      // The history's second page cannot be written: the rows before it are done, the rest is not.
      const original = database.query.transaction.bind(database.query);
      let left = 4;
      const failing: Database = {
        ...database,
        query: new Proxy(database.query, {
          get: (target, name) =>
            name === 'transaction'
              ? () => {
                  if (left-- === 0) throw new Error('the cable was pulled');
                  return original();
                }
              : (Reflect.get(target, name) as unknown),
        }),
      };
      await expect(rotateMaster(failing, during)).rejects.toMatchObject({ code: 'storage_unavailable' });
      const half = await countSealed(database, during);
      expect(half.old).toBeGreaterThan(0);
      expect(half.old).toBeLessThan(half.values);
      expect(half.damaged).toEqual([]);
      for (const row of (await createConfigStore(database).load()).rows) expect(openRow(row, during)).toMatch(/^secret /);
      const { changed, left: rest } = await rotateMaster(database, during);
      expect(changed).toBe(half.old);
      expect(rest.old).toBe(0);
    });

    it('a wrong old key is detected before anything is changed', async () => {
      const wrong: MasterKeys = { current: second, old: [masterKey(randomBytes(32))] };
      const count = await countSealed(database, wrong);
      expect(count.unknown.get(first.id)).toBe(2 * many);
      const old = await everything();
      expect((await rotateMaster(database, wrong)).changed).toBe(0);
      expect(await everything()).toBe(old);
    });

    it('a value that was moved to another row is reported, not decrypted, and not sealed again', async () => {
      const rows = await database.query.selectFrom('llm_provider_config').selectAll().orderBy('id').execute();
      const [one, other] = rows;
      if (one === undefined || other === undefined) throw new Error('no rows');
      await database.query.updateTable('llm_provider_config').set({ spec: other.spec }).where('id', '=', one.id).execute();
      const { changed, left } = await rotateMaster(database, during);
      expect(changed).toBe(2 * many + 2);
      expect(left.damaged).toEqual([`provider ${one.tenant}/${one.name}`]);
      const moved = (await createConfigStore(database, createSecretBox(during)).load()).rows.find((row) => row.id === one.id);
      expect(() => openRow(moved as ConfigRow, during)).toThrow('cannot be opened');
    });

    it('a concurrent write is not overwritten', async () => {
      const store = createConfigStore(database, createSecretBox(during));
      const row = (await store.load()).rows.find((each) => each.kind === 'provider') as ConfigRow;
      const changed: ConfigRow = { ...row, spec: { ...row.spec, note: 'new' }, revision: 2 };
      await Promise.all([
        rotateMaster(database, during),
        store.commit(1, [{ kind: row.kind, tenant: row.tenant, before: row, after: changed }], actor, 'meanwhile'),
      ]);
      expect((await store.load()).rows.find((each) => each.id === row.id)?.spec['note']).toBe('new');
      expect((await countSealed(database, after)).unknown.size).toBe(0);
    });
  });
}
