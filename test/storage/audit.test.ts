/** The audit log on both databases: acts other than changes of configuration. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type AuditFilter, createAuditLog, type AuditLog } from '../../src/storage/audit.ts';
import type { Database } from '../../src/storage/database.ts';
import { databaseKinds, eventually, migrated, type TestDatabase } from './databases.ts';

for (const kind of databaseKinds) {
  describe.skipIf(kind.missing)(`the audit log on ${kind.name}`, () => {
    let place: TestDatabase;
    let database: Database;

    beforeEach(async () => {
      ({ place, database } = await migrated(kind));
    });
    afterEach(() => place[Symbol.asyncDispose]());

    const open = (): AuditLog => createAuditLog({ database, dataDir: place.dataDir, logger: place.logger, intervalMs: 20 });
    const deny = (log: AuditLog, target: string, tenant = 'acme'): void => {
      log.append({ tenant, actor: 'u-1', act: 'denied', target, requestId: 'request-1', detail: 'no grant' });
    };

    it('lists for each tenant its own acts, newest first, page by page', async () => {
      await using log = open();
      for (let index = 0; index < 7; index++) deny(log, `model/m-${index}`);
      deny(log, 'model/theirs', 'rival');
      const first = await log.list({ tenant: 'acme', after: null, limit: 4 });
      const second = await log.list({ tenant: 'acme', after: first.next, limit: 4 });
      expect([...first.data, ...second.data].map(({ target }) => target)).toEqual([6, 5, 4, 3, 2, 1, 0].map((index) => `model/m-${index}`));
      expect(second.next).toBeNull();
      expect(first.data[0]).toEqual({
        id: expect.stringMatching(/^[0-9a-z]{30}$/) as string,
        at: expect.stringMatching(/^\d{4}-.*Z$/) as string,
        actor: 'u-1',
        act: 'denied',
        target: 'model/m-6',
        before: null,
        after: null,
        detail: 'no grant',
        request_id: 'request-1',
      });
      expect(await log.list({ tenant: 'nobody', after: null, limit: 4 })).toEqual({ data: [], next: null });
    });

    it('filters by actor, target, request and time', async () => {
      await using log = open();
      const at = new Date().toISOString();
      deny(log, 'model/模型-1');
      deny(log, 'model/模型-2');
      deny(log, 'skill/x');
      log.append({ tenant: 'acme', actor: 'u-2', act: 'signed-in', target: 'person/u-2', requestId: 'request-2' });
      const targets = async (filter: AuditFilter): Promise<string[]> =>
        (await log.list({ tenant: 'acme', after: null, limit: 9, filter })).data.map(({ target }) => target);
      expect(await targets({ actors: ['u-2'] })).toEqual(['person/u-2']);
      expect(await targets({ act: 'denied', targets: ['model/模*'] })).toEqual(['model/模型-2', 'model/模型-1']);
      expect(await targets({ targets: ['model/模型-1', 'model/other'] })).toEqual(['model/模型-1']);
      expect(await targets({ targets: ['Model/*'] })).toEqual([]);
      expect(await targets({ targets: ['%*'] })).toEqual([]);
      expect(await targets({ requestId: 'request-2' })).toEqual(['person/u-2']);
      expect(await targets({ from: at })).toHaveLength(4);
      expect(await targets({ to: at })).toEqual([]);
      expect(await targets({ from: '1970-01-01T00:00:00.000Z', to: '9999-01-01T00:00:00.000Z' })).toHaveLength(4);
      expect(await targets({ from: new Date(Date.now() + 60_000).toISOString() })).toEqual([]);
    });

    it('loses nothing on a normal shutdown', async () => {
      const log = open();
      for (let index = 0; index < 300; index++) deny(log, `model/m-${index}`);
      await log[Symbol.asyncDispose]();
      expect(await database.query.selectFrom('llm_audit').select('id').execute()).toHaveLength(300);
    });

    it('waits on disk while its table is missing', async () => {
      await database.query.schema.alterTable('llm_audit').renameTo('llm_audit_away').execute();
      await using log = open();
      deny(log, 'model/late');
      await expect(log.list({ tenant: 'acme', after: null, limit: 4 })).rejects.toMatchObject({ code: 'storage_unavailable' });
      expect(await readdir(join(place.dataDir, 'spool', 'audit'))).toHaveLength(1);
      await database.query.schema.alterTable('llm_audit_away').renameTo('llm_audit').execute();
      await eventually(async () => (await log.list({ tenant: 'acme', after: null, limit: 4 })).data.length === 1);
    });
  });
}
