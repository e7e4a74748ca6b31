/** The filters of the list of runs, on both databases: exact, and each by an index. */
import { CompiledQuery, sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import type { RunFilter, RunOwner } from '../../src/storage/run-filter.ts';
import { createLedger } from '../../src/storage/ledger.ts';
import { createRunReader } from '../../src/storage/run-reader.ts';
import { runsPage } from '../../src/storage/run-rows.ts';
import { databaseKinds, migrated } from './databases.ts';
import { planText } from './query-plans.ts';
import { runRecord } from './records.ts';

const start = 1_795_000_000_000;
const ming: RunOwner = { issuer: 'https://auth.example', subject: 'u-1' };

describe.each(databaseKinds)('runs on $name', ({ missing, ...kind }) => {
  it.skipIf(missing)('are listed by every filter and by all of them together', async () => {
    const { place, database } = await migrated({ missing, ...kind });
    await using _place = place;
    await using ledger = createLedger({ database, dataDir: place.dataDir, logger: place.logger });
    const runs = {
      plain: runRecord({ id: 'plain', requestId: 'r-1' }),
      child: runRecord({ id: 'child', requestId: 'r-1', parent: 'plain', root: 'plain', capability: 'mcp/demo/add' }),
      failed: runRecord({ id: 'failed', requestId: 'r-2', startedAt: start + 1_000, outcome: 'error', error: 'upstream_error' }),
      left: runRecord({ id: 'left', requestId: 'r-3', startedAt: start + 2_000, outcome: 'aborted', error: 'client_closed_request' }),
      other: runRecord({ id: 'other', requestId: 'r-4', startedAt: start + 3_000, subject: 'u-2', key: 'k-1', capability: 'model/qwen' }),
      rival: runRecord({ id: 'rival', requestId: 'r-1', tenant: 'rival', key: 'k-1', outcome: 'error', error: 'upstream_error' }),
    };
    for (const run of Object.values(runs)) ledger.record(run);
    await ledger.flush();
    const reader = createRunReader(database, { read: () => Promise.resolve(new Map()) });
    const listed = async (filter: RunFilter, owner: RunOwner | null = null) =>
      (await reader.list({ tenant: 'acme', owner, filter, after: null, limit: 50 })).data.map(({ id }) => id);

    expect(await listed({})).toEqual(['other', 'left', 'failed', 'plain', 'child']);
    expect(await listed({ requestId: 'r-1' })).toEqual(['plain', 'child']);
    expect(await listed({ requestId: 'r-1', capability: 'model/gpt-4o' })).toEqual(['plain']);
    expect(await listed({ key: 'k-1' })).toEqual(['other']);
    expect(await listed({ key: 'k-1' }, ming)).toEqual([]);
    expect(await listed({}, ming)).toEqual(['left', 'failed', 'plain', 'child']);
    expect(await listed({}, { ...ming, issuer: 'https://elsewhere.example' })).toEqual([]);
    expect(await listed({ outcome: 'error' })).toEqual(['failed']);
    expect(await listed({ outcome: 'complete' })).toEqual(['other', 'plain', 'child']);
    expect(await listed({ outcome: 'complete', error: 'upstream_error' })).toEqual([]);
    expect(await listed({ error: 'client_closed_request' })).toEqual(['left']);
    expect(await listed({ capability: 'model/qwen' })).toEqual(['other']);
    expect(await listed({ from: start + 1_000, to: start + 3_000 })).toEqual(['left', 'failed']);
    expect(
      await listed({ requestId: 'r-2', outcome: 'error', error: 'upstream_error', from: start, capability: 'model/gpt-4o' }, ming),
    ).toEqual(['failed']);
  });

  it.skipIf(missing)('are found by the index of a filter, and never by reading all runs of the tenant', async () => {
    const { place, database } = await migrated({ missing, ...kind });
    await using _place = place;
    await using ledger = createLedger({ database, dataDir: place.dataDir, logger: place.logger });
    for (let index = 0; index < 3_000; index++)
      ledger.record(
        runRecord({
          requestId: `r-${index}`,
          subject: `u-${index % 100}`,
          key: index % 50 === 0 ? `k-${index % 200}` : null,
          capability: `model/${index % 3}`,
          startedAt: start + index,
          outcome: index % 300 === 0 ? 'error' : 'complete',
          attempts: [],
        }),
      );
    await ledger.flush();
    if (database.kind === 'postgres') await sql`analyze llm_run_fact`.execute(database.query);
    const planOf = async (filter: RunFilter, owner: RunOwner | null = null, after: string | null = null): Promise<string> => {
      const page = runsPage(database, { tenant: 'acme', owner, filter, after, limit: 50 }).compile();
      const explain = database.kind === 'postgres' ? 'explain' : 'explain query plan';
      const { rows } = await database.query.executeQuery(CompiledQuery.raw(`${explain} ${page.sql}`, [...page.parameters]));
      return planText(database, rows);
    };
    const of = (index: string): string => `llm_run_fact_${index}`;
    // The dimensions of this small ledger are small, and may be read whole.
    const noScan = /Seq Scan on llm_run_fact|SCAN fact|llm_run_fact_page/;
    const uuid = '019aaaaa-0000-7000-8000-00000000000a';
    const ofRequests = database.kind === 'postgres' ? /llm_run_fact_request_uuid[^]*llm_run_fact_request\b/ : /llm_run_fact_request\b/;
    const range = { from: start, to: start + 2_900 };
    for (const more of [{}, range]) {
      expect(await planOf({ requestId: 'r-7', ...more })).toContain(of('request'));
      // The rows of versions before the column of UUIDs are found by the other index.
      expect(await planOf({ requestId: uuid, ...more })).toMatch(ofRequests);
      expect(await planOf({ requestId: uuid, ...more })).not.toMatch(noScan);
      expect(await planOf({ key: 'k-50', ...more })).toContain(of('api_key'));
      expect(await planOf(more, ming)).toContain(of('person'));
      expect(await planOf({ outcome: 'error', ...more })).toContain(of('failed'));
      expect(await planOf({ error: 'upstream_error', ...more }, null, `${start}.x`)).toContain(of('failed'));
      expect(await planOf({ capability: 'model/1', ...more }, null, `${start}.x`)).toContain(of('target'));
      for (const plan of [await planOf({ capability: 'model/none', ...more }), await planOf({ key: 'none', ...more })])
        expect(plan, 'a filter without a hit').not.toMatch(noScan);
      const all = { requestId: 'r-7', key: 'k-50', outcome: 'error', capability: 'model/1', ...more } as const;
      for (const owner of [null, ming]) {
        expect(await planOf(all, owner)).not.toMatch(noScan);
        expect(await planOf({ ...all, requestId: undefined }, owner)).not.toMatch(noScan);
      }
    }
    expect(await planOf({ from: start, to: start + 9 })).toContain(of('page'));
    if (database.kind !== 'sqlite') return;
    // SQLite has the statistics of a large ledger, although this one is small.
    expect(await planOf({ capability: 'model/1' })).toContain(of('target'));
    expect(await planOf({ capability: 'model/1' })).not.toContain('TEMP B-TREE FOR ORDER BY');
  });
});
