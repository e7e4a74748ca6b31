/** One suite for the configuration store, on both databases. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createAuditLog } from '../../src/storage/audit.ts';
import { createConfigStore } from '../../src/storage/config-store.ts';
import type { Database } from '../../src/storage/database.ts';
import type { Actor, ConfigChange, ConfigStore } from '../../src/types/config-store.ts';
import type { ConfigRow, ResourceKind } from '../../src/types/resources.ts';
import { databaseKinds, eventually, migrated, type TestDatabase } from './databases.ts';

const actor: Actor = { subject: 'u-admin', username: 'Admin', tenant: 'acme', requestId: 'request-7' };

function row(name: string, over: Partial<ConfigRow> = {}): ConfigRow {
  return {
    id: `id-${over.kind ?? 'model'}-${name}`,
    tenant: 'acme',
    kind: 'model',
    name,
    spec: { deployments: [{ provider: 'openai', model: name }], note: '模型' },
    enabled: true,
    owner: null,
    revision: 1,
    createdAt: '2026-11-23T00:00:00.000Z',
    createdBy: 'u-admin',
    updatedAt: '2026-11-23T00:00:00.000Z',
    updatedBy: 'u-admin',
    ...over,
  };
}

function change(before: ConfigRow | null, after: ConfigRow | null): ConfigChange {
  const either = after ?? before;
  if (either === null) throw new Error('a change of nothing');
  return { kind: either.kind, tenant: either.tenant, before, after };
}

for (const kind of databaseKinds) {
  describe.skipIf(kind.missing)(`the configuration store on ${kind.name}`, () => {
    let place: TestDatabase;
    let database: Database;
    let store: ConfigStore;

    beforeEach(async () => {
      ({ place, database } = await migrated(kind));
      store = createConfigStore(database);
    });
    afterEach(() => place[Symbol.asyncDispose]());

    it('is empty and at revision 0 at first', async () => {
      expect(await store.load()).toEqual({ revision: 0, rows: [] });
      expect(await store.revision()).toBe(0);
    });

    it('returns rows of every kind as written', async () => {
      const kinds: ResourceKind[] = ['provider', 'model', 'skill', 'mcp', 'grant'];
      const rows = kinds.map((each, index) =>
        row(`row-${index}`, { kind: each, enabled: index % 2 === 0, owner: index === 1 ? 'u-2' : null }),
      );
      expect(
        await store.commit(
          0,
          rows.map((each) => change(null, each)),
          actor,
          'all kinds',
        ),
      ).toBe(1);
      const { revision, rows: loaded } = await store.load();
      expect(revision).toBe(1);
      expect(loaded.toSorted((one, other) => (one.name < other.name ? -1 : 1))).toEqual(rows);
    });

    it('allows one name in two tenants and refuses it twice in one', async () => {
      await store.commit(0, [change(null, row('same')), change(null, row('same', { id: 'other', tenant: 'rival' }))], actor, '');
      expect((await store.load()).rows).toHaveLength(2);
      await expect(store.commit(1, [change(null, row('same', { id: 'third' }))], actor, '')).rejects.toMatchObject({
        code: 'storage_unavailable',
      });
      expect(await store.revision()).toBe(1);
    });

    it('writes nothing when the revision has changed', async () => {
      expect(await store.commit(0, [change(null, row('first'))], actor, '')).toBe(1);
      expect(await store.commit(0, [change(null, row('late'))], actor, '')).toBeNull();
      expect(await store.commit(5, [change(null, row('early'))], actor, '')).toBeNull();
      expect((await store.load()).rows.map(({ name }) => name)).toEqual(['first']);
      expect(await store.changesSince(0)).toHaveLength(1);
    });

    it('lets exactly one of many nodes win a revision', async () => {
      const nodes = await Promise.all([1, 2, 3, 4].map(async () => createConfigStore(await place.open())));
      const results = await Promise.all(nodes.map((node, index) => node.commit(0, [change(null, row(`node-${index}`))], actor, '')));
      expect(results.filter((revision) => revision === 1)).toHaveLength(1);
      expect(results.filter((revision) => revision === null)).toHaveLength(3);
      expect((await store.load()).rows).toHaveLength(1);
    });

    it('rolls back the whole commit when one of its rows fails', async () => {
      await store.commit(0, [change(null, row('kept'))], actor, '');
      const changes = [change(row('kept'), null), change(null, row('new')), change(null, row('new', { id: 'twin' }))];
      await expect(store.commit(1, changes, actor, '')).rejects.toMatchObject({ code: 'storage_unavailable' });
      expect((await store.load()).rows.map(({ name }) => name)).toEqual(['kept']);
      expect(await store.changesSince(0)).toHaveLength(1);
      expect(await database.query.selectFrom('llm_audit').selectAll().execute()).toHaveLength(1);
    });

    it('allows two rows to exchange their names in one commit', async () => {
      const [one, other] = [row('one'), row('other')];
      await store.commit(0, [change(null, one), change(null, other)], actor, '');
      expect(await store.commit(1, [change(one, { ...one, name: 'other' }), change(other, { ...other, name: 'one' })], actor, '')).toBe(2);
      const names = new Map((await store.load()).rows.map(({ id, name }) => [id, name]));
      expect(names).toEqual(
        new Map([
          [one.id, 'other'],
          [other.id, 'one'],
        ]),
      );
    });

    it('stores a row as in its last change', async () => {
      const first = row('twice');
      const second = { ...first, spec: { note: 'second' } };
      expect(await store.commit(0, [change(null, first), change(first, second)], actor, '')).toBe(1);
      expect((await store.load()).rows).toEqual([second]);
      expect(await store.commit(1, [change(second, first), change(first, null)], actor, '')).toBe(2);
      expect((await store.load()).rows).toEqual([]);
      expect((await store.changesSince(1)).map(({ after }) => after)).toEqual([first, null]);
    });

    it('writes thousands of rows in one commit', async () => {
      const rows = Array.from({ length: 3_000 }, (_, index) => row(`many-${index}`));
      expect(
        await store.commit(
          0,
          rows.map((each) => change(null, each)),
          actor,
          'import',
        ),
      ).toBe(1);
      expect((await store.load()).rows).toHaveLength(3_000);
      expect(await store.changesSince(0)).toHaveLength(3_000);
    });

    it('lists the changes since a revision, oldest first, and for one tenant its own', async () => {
      const first = row('first');
      await store.commit(0, [change(null, first)], actor, 'one');
      await store.commit(1, [change(first, { ...first, enabled: false }), change(null, row('rival', { tenant: 'rival' }))], actor, 'two');
      await store.commit(2, [change({ ...first, enabled: false }, null)], actor, 'three');
      const since = await store.changesSince(1);
      expect(since.map(({ revision, tenant, before, after }) => [revision, tenant, before?.name ?? null, after?.name ?? null])).toEqual([
        [2, 'acme', 'first', 'first'],
        [2, 'rival', null, 'rival'],
        [3, 'acme', 'first', null],
      ]);
      expect(since[0]).toMatchObject({ kind: 'model', actor: 'u-admin', before: { enabled: true }, after: { enabled: false } });
      const own = await store.history({ tenant: 'acme', after: 0, limit: 2 });
      expect(own.map(({ revision }) => revision)).toEqual([1, 2]);
      expect(await store.history({ tenant: 'acme', after: 2, limit: 2 })).toHaveLength(1);
      const whole = await store.history({ tenant: 'acme', after: 0, limit: 100 });
      const backwards = await store.history({ tenant: 'acme', after: Number.MAX_SAFE_INTEGER, newestFirst: true, limit: 100 });
      expect(backwards).toEqual(whole.toReversed());
      const [newest, ...older] = backwards;
      const position = { after: newest?.revision ?? 0, afterSequence: newest?.sequence ?? 0 };
      expect(await store.history({ tenant: 'acme', ...position, newestFirst: true, limit: 100 })).toEqual(older);
      const rest = await store.history({ tenant: 'rival', after: 2, afterSequence: 0, limit: 2 });
      expect(
        rest.map(({ revision, sequence }) => [revision, sequence]),
        'the rest of a revision',
      ).toEqual([[2, 1]]);
      expect(await store.history({ tenant: 'rival', after: 2, afterSequence: 1, limit: 2 })).toEqual([]);
      expect(await store.history({ tenant: 'nobody', after: 0, limit: 2 })).toEqual([]);
    });

    it('writes who changed what into the audit, with sealed secrets masked there but kept in the history', async () => {
      const sealed = { $sealed: 'v1.key.iv.tag.text' };
      const provider = row('openai', { kind: 'provider', spec: { options: { api_key: sealed, headers: [{ value: sealed }] } } });
      await store.commit(0, [change(null, provider)], actor, 'add openai');
      await store.commit(1, [change(provider, { ...provider, enabled: false })], actor, 'switch off');
      await using audit = createAuditLog({ database, dataDir: place.dataDir, logger: place.logger });
      const { data } = await audit.list({ tenant: 'acme', after: null, limit: 10 });
      expect(data.map(({ act, target, actor: who, request_id, detail }) => [act, target, who, request_id, detail])).toEqual([
        ['update', 'provider/openai', 'u-admin', 'request-7', 'switch off'],
        ['create', 'provider/openai', 'u-admin', 'request-7', 'add openai'],
      ]);
      expect(data[0]).toMatchObject({ before: { enabled: true }, after: { enabled: false } });
      expect(data[1]).toMatchObject({ before: null, after: { spec: { options: { api_key: '***', headers: [{ value: '***' }] } } } });
      expect(JSON.stringify(data)).not.toContain('v1.key');
      expect((await store.changesSince(0))[0]?.after?.spec).toEqual(provider.spec);
    });

    it('loads the other rows when one was damaged manually', async () => {
      await store.commit(0, [change(null, row('good')), change(null, row('bad'))], actor, '');
      await database.query
        .updateTable('llm_model_config')
        .set({ spec: '{"deploy', basis: '{"*', approved_tags: '["a' })
        .where('name', '=', 'bad')
        .execute();
      const { rows } = await store.load();
      expect(rows.find(({ name }) => name === 'bad')).toMatchObject({ basis: {} });
      expect(rows.find(({ name }) => name === 'bad')).not.toHaveProperty('approvedTags');
      expect(rows.find(({ name }) => name === 'good')?.spec).toEqual(row('good').spec);
      expect(rows.find(({ name }) => name === 'bad')?.spec).toEqual({ $damaged: '{"deploy' });
    });

    it('notifies another node of a commit within a second, and no more after it stopped watching', async () => {
      const other = createConfigStore(await place.open());
      let heard = 0;
      const stop = other.watch(() => heard++);
      await eventually(() => heard > 0);
      const before = heard;
      const committed = Date.now();
      await store.commit(0, [change(null, row('news'))], actor, '');
      await eventually(() => heard > before);
      expect(Date.now() - committed).toBeLessThan(2_000);
      expect(await other.revision()).toBe(1);
      stop();
      const after = heard;
      await store.commit(1, [change(null, row('more'))], actor, '');
      await new Promise((resolve) => setTimeout(resolve, 400));
      expect(heard).toBe(after);
    });

    it('fails with storage_unavailable once the database is closed', async () => {
      // Its connections are open.
      await store.revision();
      await database.close();
      const unavailable = { code: 'storage_unavailable', status: 503 };
      await expect(store.revision()).rejects.toMatchObject(unavailable);
      await expect(store.load()).rejects.toMatchObject(unavailable);
      await expect(store.changesSince(0)).rejects.toMatchObject(unavailable);
      await expect(store.history({ tenant: 'acme', after: 0, limit: 1 })).rejects.toMatchObject(unavailable);
      await expect(store.commit(0, [], actor, '')).rejects.toMatchObject(unavailable);
      await expect(database.ping()).rejects.toMatchObject(unavailable);
    });
  });
}
