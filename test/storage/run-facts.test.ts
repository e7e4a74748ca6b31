/** Runs in narrow rows, beside those of older versions, on both databases. */
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import type { Database } from '../../src/storage/database.ts';
import { createLedger } from '../../src/storage/ledger.ts';
import { packedHex, packedId, unpackedId } from '../../src/storage/packed-ids.ts';
import { createRunReader } from '../../src/storage/run-reader.ts';
import type { RunRecord } from '../../src/types/run.ts';
import { databaseKinds, migrated } from './databases.ts';
import { putOldRun, runRecord, sumLastRun } from './records.ts';

const start = 1_795_000_000_000;
const readerOf = (database: Database) => createRunReader(database, { read: () => Promise.resolve(new Map()) });
const uuid = (index: number): string => `019aaaaa-0000-7000-8000-${index.toString(16).padStart(12, '0')}`;
const ids = ['', 'r', uuid(7), uuid(7).toUpperCase(), '0123456789abcde', '0123456789abcdef', 'id-名字', uuid(7).replaceAll('-', '')];

it('an id is the same after it was packed, and a UUID takes 16 bytes', () => {
  for (const id of ids) expect(unpackedId(packedId(id))).toBe(id);
  expect(packedId(uuid(1))).toHaveLength(16);
  expect(new Set(ids.map(packedHex)).size).toBe(ids.length);
});

describe.each(databaseKinds)('narrow rows on $name', ({ missing, ...kind }) => {
  it.skipIf(missing)('have ids of any form, for the reader and for the view', async () => {
    const { place, database } = await migrated({ missing, ...kind });
    await using _place = place;
    await using ledger = createLedger({ database, dataDir: place.dataDir, logger: place.logger });
    for (const id of ids) ledger.record(runRecord({ id, requestId: id, attempts: [] }));
    await ledger.flush();
    const { rows } = await sql<{ id: string; request_id: string }>`select id, request_id from llm_run_all`.execute(database.query);
    expect(rows.map(({ id }) => id).toSorted()).toEqual(ids.toSorted());
    for (const { id, request_id } of rows) expect(request_id).toBe(id);
    for (const id of ids)
      expect(await readerOf(database).get('acme', id, null), id).toMatchObject({ id, request_id: id, root: id, parent: null });
  });

  it.skipIf(missing)('are listed together with the runs of an older node, in pages and in trees', async () => {
    const { place, database } = await migrated({ missing, ...kind });
    await using _place = place;
    await using ledger = createLedger({ database, dataDir: place.dataDir, logger: place.logger });
    const all: RunRecord[] = [];
    for (let index = 0; index < 40; index++) {
      // Several start in the same millisecond. The first run is the root of all.
      const inTree = index === 0 ? {} : { parent: uuid(0), root: uuid(0) };
      const run = runRecord({ id: uuid(index), startedAt: start + Math.floor(index / 4), attempts: [], ...inTree });
      all.push(run);
      if (index % 3 === 0) await putOldRun(database, { ...run, root: inTree.root ?? run.id });
      else ledger.record(run);
    }
    await ledger.flush();
    const reader = readerOf(database);
    const newest = all.map(({ id }) => id).toReversed();
    for (const limit of [1, 7, 50]) {
      const listed: string[] = [];
      let after: string | null = null;
      do {
        const page = await reader.list({ tenant: 'acme', owner: null, filter: {}, after, limit });
        listed.push(...page.data.map(({ id }) => id));
        after = page.next;
      } while (after !== null);
      expect(listed, `pages of ${limit}`).toEqual(newest);
    }
    const owner = { issuer: 'https://auth.example', subject: 'u-1' };
    const filtered = await reader.list({ tenant: 'acme', owner, filter: { capability: 'model/gpt-4o' }, after: null, limit: 50 });
    expect(filtered.data.map(({ id }) => id)).toEqual(newest);
    expect((await reader.tree('acme', owner, uuid(0))).map(({ id }) => id)).toEqual(newest.toReversed());
    expect((await reader.get('acme', uuid(0), owner))?.children).toHaveLength(39);
  });

  it.skipIf(missing)('add to the same sums as the runs of an older node', async () => {
    const { place, database } = await migrated({ missing, ...kind });
    await using _place = place;
    await using ledger = createLedger({ database, dataDir: place.dataDir, logger: place.logger });
    const usage = { inputTokens: 10, outputTokens: 2 };
    await putOldRun(database, { usage, cost: 5 });
    await sumLastRun(database);
    ledger.record(runRecord({ usage, cost: 5 }));
    await ledger.flush();
    for (const table of ['llm_usage_day', 'llm_rollup_hour', 'llm_rollup_day']) {
      const { rows } = await sql<{ runs: number; input: number }>`select sum(runs) as runs, sum(input_tokens) as input
        from ${sql.table(table)}`.execute(database.query);
      expect([Number(rows[0]?.runs), Number(rows[0]?.input)], table).toEqual([2, 20]);
    }
  });

  it.skipIf(missing)('are written with new numbers when the rows of their dimensions are gone, as after a failover', async () => {
    const { place, database } = await migrated({ missing, ...kind });
    await using _place = place;
    await using ledger = createLedger({ database, dataDir: place.dataDir, logger: place.logger });
    ledger.record(runRecord());
    await ledger.flush();
    for (const table of ['llm_run_fact', 'llm_attempt', 'llm_run_person', 'llm_run_target', 'llm_run_caller', 'llm_run_result'])
      await sql`delete from ${sql.table(table)}`.execute(database.query);
    const run = runRecord();
    ledger.record(run);
    await ledger.flush();
    const { data } = await readerOf(database).list({ tenant: 'acme', owner: null, filter: {}, after: null, limit: 5 });
    expect(data).toMatchObject([{ id: run.id, subject: 'u-1', capability: 'model/gpt-4o', outcome: 'complete' }]);
    expect(place.logger.lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it.skipIf(missing)('take few bytes for each of many calls, with their indexes', async () => {
    const { place, database } = await migrated({ missing, ...kind });
    await using _place = place;
    await using ledger = createLedger({ database, dataDir: place.dataDir, logger: place.logger });
    const count = 10_000;
    const [, attempt] = runRecord().attempts;
    for (let index = 0; index < count; index++) {
      const startedAt = start + index * 10;
      const only = { ...attempt, number: 1, startedAt, usage: { inputTokens: 900, outputTokens: 99 }, cost: 12, currency: 'CNY' };
      ledger.record(
        runRecord({
          id: uuid(index * 977),
          requestId: uuid(index * 977 + 1),
          subject: `5f0c9a1e-6d1b-4c58-9e0f-${String(index % 300).padStart(12, '0')}`,
          startedAt,
          endedAt: startedAt + 900,
          usage: only.usage,
          cost: 12,
          attempts: [only as RunRecord['attempts'][number]],
        }),
      );
    }
    await ledger.flush();
    const bytes =
      kind.name === 'SQLite'
        ? sql<{ bytes: number }>`select sum(pgsize) as bytes from dbstat where name like 'llm_run_%'`
        : sql<{ bytes: number }>`select sum(pg_total_relation_size(oid)) as bytes from pg_class
            where relname like 'llm\\_run\\_%' and relkind = 'r' and pg_table_is_visible(oid) and pg_relation_size(oid) > 0`;
    const { rows } = await bytes.execute(database.query);
    expect((await sql`select 1 from llm_run_fact`.execute(database.query)).rows).toHaveLength(count);
    expect(Number(rows[0]?.bytes) / count).toBeLessThan(kind.name === 'SQLite' ? 260 : 390);
  });
});
