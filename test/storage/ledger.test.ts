/** The ledger on both databases: its records, its reader, and no loss on the way. */
import { mkdir, readdir, readFile, utimes, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Database } from '../../src/storage/database.ts';
import { createLedger, type LedgerWriter } from '../../src/storage/ledger.ts';
import { createRunReader } from '../../src/storage/run-reader.ts';
import { databaseKinds, eventually, migrated, type TestDatabase } from './databases.ts';
import { runRecord } from './records.ts';

for (const kind of databaseKinds) {
  describe.skipIf(kind.missing)(`the ledger on ${kind.name}`, () => {
    let place: TestDatabase;
    let database: Database;
    let spool: string;

    beforeEach(async () => {
      ({ place, database } = await migrated(kind));
      spool = join(place.dataDir, 'spool', 'runs');
    });
    afterEach(() => place[Symbol.asyncDispose]());

    const open = (intervalMs = 20): LedgerWriter => createLedger({ database, dataDir: place.dataDir, logger: place.logger, intervalMs });
    const ids = async (): Promise<string[]> =>
      (await database.query.selectFrom('llm_run_all').select('id').orderBy('id').execute()).map(({ id }) => id);
    const spooled = async (): Promise<string[]> => readdir(spool).catch(() => []);

    it('stores a run with its attempts, which are read back completely', async () => {
      await using ledger = open();
      const run = runRecord();
      const child = runRecord({
        parent: run.id,
        root: run.id,
        capability: 'mcp/clock/now',
        attempts: [],
        usage: null,
        cost: null,
        currency: null,
        startedAt: run.startedAt + 1,
      });
      ledger.record(run);
      ledger.record(child);
      await ledger.flush();
      expect(ledger.pending).toBe(0);
      const reader = createRunReader(database, { read: () => Promise.resolve(new Map()) });
      expect(await reader.get('acme', run.id, null)).toEqual({
        id: run.id,
        content: null,
        parent: null,
        root: run.id,
        request_id: 'request-1',
        issuer: 'https://auth.example',
        subject: 'u-1',
        username: 'Ming',
        key: null,
        capability: 'model/gpt-4o',
        operation: 'chat',
        streamed: true,
        revision: 3,
        started_at: new Date(run.startedAt).toISOString(),
        first_token_at: new Date(run.startedAt + 200).toISOString(),
        ended_at: new Date(run.endedAt).toISOString(),
        outcome: 'complete',
        error: null,
        deployment: 'gpt-4o#openai/gpt-4o',
        usage: { input_tokens: 5_000_000_000, output_tokens: 7, cached_input_tokens: 3, reasoning_tokens: null, estimated: false },
        cost: 9_000_000,
        currency: 'CNY',
        attempts: [
          expect.objectContaining({
            number: 1,
            provider: 'azure',
            outcome: 'error',
            status: 503,
            error: 'upstream_error',
            detail: '服务不可用',
            first_token_at: null,
          }),
          expect.objectContaining({
            number: 2,
            provider: 'openai',
            outcome: 'complete',
            status: 200,
            error: null,
            upstream_model: 'gpt-4o',
          }),
        ],
        children: [expect.objectContaining({ id: child.id, parent: run.id, usage: null, cost: null })],
      });
      expect(await reader.get('rival', run.id, null)).toBeNull();
      expect(await reader.get('acme', 'unknown', null)).toBeNull();
    });

    it('a person of one identity service is not the one of the same subject at another', async () => {
      await using ledger = open();
      const run = runRecord();
      const child = runRecord({ parent: run.id, root: run.id });
      const old = runRecord({ issuer: null });
      for (const each of [run, child, old]) ledger.record(each);
      await ledger.flush();
      const reader = createRunReader(database, { read: () => Promise.resolve(new Map()) });
      const own = { issuer: 'https://auth.example', subject: 'u-1' };
      const other = { issuer: 'https://other.example', subject: 'u-1' };
      expect((await reader.tree('acme', own, run.id)).map(({ id }) => id).toSorted()).toEqual([run.id, child.id].toSorted());
      expect(await reader.tree('acme', other, run.id)).toEqual([]);
      expect(await reader.get('acme', run.id, other)).toBeNull();
      expect((await reader.get('acme', run.id, own))?.id).toBe(run.id);
      // A run without an issuer belongs to no person: the migration gives it to the home issuer where there is one.
      expect(await reader.tree('acme', other, old.id)).toEqual([]);
      expect((await reader.list({ tenant: 'acme', owner: other, filter: {}, after: null, limit: 9 })).data).toEqual([]);
    });

    it('pages newest first by key, complete and without duplicates, even for runs of one millisecond', async () => {
      await using ledger = open();
      const runs = Array.from({ length: 25 }, (_, index) =>
        runRecord({ startedAt: 1_795_000_000_000 + Math.floor(index / 10), subject: index % 2 === 0 ? 'u-1' : 'u-2', attempts: [] }),
      );
      for (const run of [...runs, runRecord({ tenant: 'rival' })]) ledger.record(run);
      await ledger.flush();
      const reader = createRunReader(database, { read: () => Promise.resolve(new Map()) });
      const seen: string[] = [];
      let after: string | null = null;
      do {
        const page = await reader.list({ tenant: 'acme', owner: null, filter: {}, after, limit: 10 });
        seen.push(...page.data.map(({ id }) => id));
        after = page.next;
      } while (after !== null);
      expect(seen.toSorted()).toEqual(runs.map(({ id }) => id).toSorted());
      const started = new Map(runs.map(({ id, startedAt }) => [id, startedAt]));
      const times = seen.map((id) => started.get(id) ?? 0);
      expect(times).toEqual(times.toSorted((one, other) => other - one));
      const own = await reader.list({
        tenant: 'acme',
        owner: { issuer: 'https://auth.example', subject: 'u-2' },
        filter: { capability: 'model/gpt-4o' },
        after: null,
        limit: 100,
      });
      expect(own.data).toHaveLength(12);
      expect(own.next).toBeNull();
      expect(
        (await reader.list({ tenant: 'acme', owner: null, filter: { capability: 'model/other' }, after: null, limit: 5 })).data,
      ).toEqual([]);
      for (const wrong of ['', 'x', '12', '12.', "1'; drop table llm_run"]) {
        const page = reader.list({ tenant: 'acme', owner: null, filter: {}, after: wrong, limit: 5 });
        await expect(page).rejects.toMatchObject({ code: 'invalid_request', param: 'after' });
      }
    });

    it('writes within its interval in the background', async () => {
      await using ledger = open(50);
      const run = runRecord();
      ledger.record(run);
      expect(ledger.pending).toBe(1);
      await eventually(async () => (await ids()).includes(run.id));
      await eventually(() => ledger.pending === 0);
    });

    it('stores a run once that arrives twice', async () => {
      await using ledger = open();
      const run = runRecord();
      ledger.record(run);
      await ledger.flush();
      ledger.record(run);
      ledger.record(runRecord());
      await ledger.flush();
      expect(await ids()).toHaveLength(2);
      expect(await database.query.selectFrom('llm_attempt').selectAll().execute()).toHaveLength(4);
      expect(place.logger.lines.filter(({ level }) => level !== 'info')).toEqual([]);
    });

    it('loses nothing on a normal shutdown, whatever is still waiting', async () => {
      const ledger = open(60_000);
      const runs = Array.from({ length: 4_500 }, () => runRecord({ attempts: [] }));
      for (const run of runs) ledger.record(run);
      await ledger[Symbol.asyncDispose]();
      expect(await ids()).toEqual(runs.map(({ id }) => id).toSorted());
      expect(await spooled()).toEqual([]);
    });

    it('stores records that an earlier process left on disk, even a draft of a dead one', async () => {
      const [whole, draft, fresh] = [runRecord(), runRecord(), runRecord()];
      await mkdir(spool, { recursive: true });
      await writeFile(join(spool, '1-1-0.ndjson'), `${JSON.stringify(whole)}\n`);
      await writeFile(join(spool, '2-1-0.part'), `${JSON.stringify(draft)}\n{"id":"half`);
      await utimes(join(spool, '2-1-0.part'), new Date(0), new Date(0));
      await writeFile(join(spool, '3-1-0.part'), `${JSON.stringify(fresh)}\n`);
      await using ledger = open();
      await eventually(async () => (await ids()).length === 2);
      expect(await ids()).toEqual([whole.id, draft.id].toSorted());
      await eventually(async () => (await spooled()).join() === '3-1-0.part,refused.txt');
      expect(await spooled()).toEqual(['3-1-0.part', 'refused.txt']);
      expect(await readFile(join(spool, 'refused.txt'), 'utf8')).toBe('{"id":"half\n');
      expect(ledger.pending).toBe(0);
    });

    it('sets a record aside that the database can never store, and stores the others', async () => {
      await using ledger = open();
      const good = Array.from({ length: 20 }, () => runRecord());
      const damaged = [
        { ...runRecord(), roles: undefined },
        { ...runRecord(), outcome: null },
      ] as unknown as ReturnType<typeof runRecord>[];
      for (const run of [...good.slice(0, 7), ...damaged, ...good.slice(7)]) ledger.record(run);
      await ledger.flush();
      expect(await ids()).toEqual(good.map(({ id }) => id).toSorted());
      const refused = (await readFile(join(spool, 'refused.txt'), 'utf8')).trim().split('\n');
      expect(refused.map((line) => (JSON.parse(line) as { id: string }).id)).toEqual(damaged.map(({ id }) => id));
      expect(place.logger.lines.filter(({ level }) => level === 'error')).toHaveLength(2);
      ledger.record(runRecord());
      await ledger.flush();
      expect(await ids()).toHaveLength(21);
    });

    it('accepts texts that a text column cannot store', async () => {
      await using ledger = open();
      const run = runRecord({ username: 'nul\0and \ud800 half a pair', capability: 'model/\u001b[31m"\\u0000' });
      ledger.record(run);
      await ledger.flush();
      const row = await database.query.selectFrom('llm_run_all').selectAll().where('id', '=', run.id).executeTakeFirstOrThrow();
      expect([row.username, row.capability]).toEqual(['nuland \ufffd half a pair', 'model/\u001b[31m"\\u0000']);
      expect(await spooled()).toEqual([]);
    });

    it('spools to disk while tables are missing, and drains when they exist', async () => {
      const bare = await kind.create();
      await using _ = bare;
      const early = await bare.open();
      await using ledger = createLedger({ database: early, dataDir: bare.dataDir, logger: bare.logger, intervalMs: 10 });
      const run = runRecord();
      ledger.record(run);
      await ledger.flush();
      expect(await readdir(join(bare.dataDir, 'spool', 'runs'))).toHaveLength(1);
      const { migrate } = await import('../../src/storage/migrate.ts');
      await migrate(early);
      await eventually(async () => (await early.query.selectFrom('llm_run_all').select('id').execute()).length === 1);
      await eventually(async () => (await readdir(join(bare.dataDir, 'spool', 'runs'))).length === 0);
    });

    it('keeps trying when neither the database nor the disk accepts records, and logs it once', async () => {
      await mkdir(join(place.dataDir, 'spool'));
      await writeFile(spool, 'in the way');
      await database.query.schema.alterTable('llm_run_fact').renameTo('llm_run_away').execute();
      await using ledger = open();
      ledger.record(runRecord());
      await ledger.flush();
      ledger.record(runRecord());
      await ledger.flush();
      expect(ledger.pending).toBe(2);
      await database.query.schema.alterTable('llm_run_away').renameTo('llm_run_fact').execute();
      await eventually(() => ledger.pending === 0);
      expect(await ids()).toHaveLength(2);
      expect(place.logger.lines.filter(({ level }) => level === 'error').map(({ message }) => message)).toEqual([
        'the runs can be written neither to the database nor to disk; trying again',
      ]);
    });

    it('accepts far more than its memory limit by spooling to disk', async () => {
      const ledger = open(60_000);
      for (let count = 0; count < 45_000; count++) ledger.record(runRecord({ attempts: [] }));
      await ledger.flush();
      expect(ledger.pending).toBe(0);
      const stored = async (): Promise<number> => {
        const { count } = await database.query
          .selectFrom('llm_run_fact')
          .select(({ fn }) => fn.countAll<number>().as('count'))
          .executeTakeFirstOrThrow();
        return Number(count);
      };
      await eventually(async () => (await stored()) === 45_000, 100_000);
      await ledger[Symbol.asyncDispose]();
      expect(await stored()).toBe(45_000);
    });
  });
}
