/** The filters of the list of runs, on both databases: exact, and each by an index. */
import { CompiledQuery, sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import type { RunFilter, RunOwner } from '../../src/storage/run-filter.ts';
import { createLedger } from '../../src/storage/ledger.ts';
import { createRunReader } from '../../src/storage/run-reader.ts';
import { runsPage } from '../../src/storage/run-pages.ts';
import { databaseKinds, eventually, migrated } from './databases.ts';
import { plansOf, planText } from './query-plans.ts';
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

  it.skipIf(missing)('of a rare team are read by their callers, and by no walk over those of the tenant', async () => {
    const { place, database } = await migrated({ missing, ...kind });
    await using _place = place;
    await using ledger = createLedger({ database, dataDir: place.dataDir, logger: place.logger });
    // The fifty runs of two members lie before two thousand runs of others; one of them is a failure, and ten came before the team.
    for (let index = 0; index < 50; index++)
      ledger.record(
        runRecord({
          id: `team-${index}`,
          startedAt: start + Math.floor(index / 2),
          username: `member-${index % 2}`,
          roles: ['lab', 'user'],
          attempts: [],
          ...(index === 40 ? { outcome: 'error' as const, error: 'upstream_error' as const } : {}),
        }),
      );
    for (let index = 0; index < 2_000; index++)
      ledger.record(runRecord({ startedAt: start + 100 + index, username: `other-${index % 20}`, roles: ['user'], attempts: [] }));
    ledger.record(runRecord({ tenant: 'rival', startedAt: start + 5, username: 'member-0', roles: ['lab', 'user'], attempts: [] }));
    await ledger.flush();
    await eventually(async () => (await database.query.selectFrom('llm_run_all').select('id').execute()).length === 2_051);
    if (database.kind === 'postgres') await sql`analyze`.execute(database.query);
    const expected = Array.from({ length: 40 }, (_run, index) => `team-${49 - index}`);
    const list = (from: typeof database, after: string | null, filter: RunFilter = {}) =>
      createRunReader(from, { read: () => Promise.resolve(new Map()) }).list({
        tenant: 'acme',
        owner: null,
        filter: { team: { role: 'lab', since: start + 5 }, ...filter },
        after,
        limit: 15,
      });
    const listed: string[] = [];
    for (let after: string | null = null, more = true; more;) {
      const page: Awaited<ReturnType<typeof list>> = await list(database, after);
      listed.push(...page.data.map(({ id }) => id));
      after = page.next;
      more = after !== null;
    }
    expect(listed.toSorted()).toEqual(expected.toSorted());
    // In order of the start; two runs of each millisecond.
    expect(listed.map((id) => Math.floor(Number(id.slice(5)) / 2))).toEqual(expected.map((id) => Math.floor(Number(id.slice(5)) / 2)));
    expect((await list(database, null, { outcome: 'error' })).data.map(({ id }) => id)).toEqual(['team-40']);
    expect((await list(database, null, { from: start + 24 })).data).toHaveLength(2);
    const plans = (await plansOf(database, (recording) => list(recording, null))).filter((plan) => plan.includes('llm_run_fact'));
    expect(plans).toHaveLength(1);
    expect(plans[0]).toMatch(/llm_run_fact_caller/);
    expect(plans[0]).not.toMatch(/llm_run_fact_(page|person|target)|Seq Scan on llm_run_fact|SCAN fact/);
    if (database.kind === 'postgres') return;
    // Of a team with many callers, SQLite would read and sort all runs.
    const team = { role: 'user', since: start };
    const [walk] = await plansOf(database, (recording) =>
      runsPage(recording, { tenant: 'acme', owner: null, filter: { team }, after: null, limit: 15 }).execute(),
    );
    expect(walk).toMatch(/llm_run_fact_page/);
    expect(walk).not.toMatch(/llm_run_fact_caller|TEMP B-TREE FOR ORDER BY/);
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
    /** The lines of PostgreSQL's plan that read runs when it is executed. SQLite shows no such plan. */
    const readsOf = async (filter: RunFilter): Promise<readonly string[]> => {
      if (database.kind === 'sqlite') return [];
      const page = runsPage(database, { tenant: 'acme', owner: null, filter, after: null, limit: 50 }).compile();
      const analyze = `explain (analyze, timing off, summary off) ${page.sql}`;
      const { rows } = await database.query.executeQuery(CompiledQuery.raw(analyze, [...page.parameters]));
      return rows.flatMap((row) => Object.values(row as object).map(String)).filter((line) => /llm_run_fact_.*actual rows/.test(line));
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
      for (const unknown of [{ error: 'no_such_code' }, { outcome: 'error', capability: 'model/none' }] as const)
        expect(await readsOf({ ...unknown, ...more }), 'reads of failures for a filter without a hit').toEqual([]);
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
