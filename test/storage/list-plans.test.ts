/** Lists read by an index what they show, in a ledger, a history and an audit of any size. */
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { createAuditLog } from '../../src/storage/audit.ts';
import { createConfigStore } from '../../src/storage/config-store.ts';
import type { Database } from '../../src/storage/database.ts';
import { createLedger } from '../../src/storage/ledger.ts';
import { createRunReader } from '../../src/storage/run-reader.ts';
import { databaseKinds, eventually, migrated } from './databases.ts';
import { plansOf } from './query-plans.ts';
import { runRecord } from './records.ts';

const start = 1_795_000_000_000;

describe.each(databaseKinds)('the plans of statements on $name', ({ missing, ...kind }) => {
  it.skipIf(missing)('for one run and for one tree use the indexes of ids', async () => {
    const { place, database } = await migrated({ missing, ...kind });
    await using _place = place;
    await using ledger = createLedger({ database, dataDir: place.dataDir, logger: place.logger });
    const root = runRecord({ id: 'root', startedAt: start });
    ledger.record(root);
    for (let index = 0; index < 1_000; index++) {
      const inTree = index % 100 === 0 ? { parent: 'root', root: 'root' } : {};
      ledger.record(runRecord({ startedAt: start + index, attempts: [], ...inTree }));
    }
    await ledger.flush();
    // A slow machine may have written them to disk first.
    await eventually(async () => (await database.query.selectFrom('llm_run_all').select('id').execute()).length === 1_001, 60_000);
    if (database.kind === 'postgres') await sql`analyze llm_run_fact`.execute(database.query);
    const owner = { issuer: 'https://auth.example', subject: 'u-1' };
    let children = 0;
    let entries = 0;
    const plans = await plansOf(database, async (recording) => {
      const reader = createRunReader(recording, { read: () => Promise.resolve(new Map()) });
      children = (await reader.get('acme', 'root', owner))?.children.length ?? 0;
      entries = (await reader.tree('acme', owner, 'root')).length;
    });
    expect([children, entries]).toEqual([10, 11]);
    const ofRuns = plans.filter((plan) => plan.includes('llm_run'));
    expect(ofRuns.length).toBeGreaterThan(0);
    for (const plan of ofRuns)
      expect(plan).toMatch(/sqlite_autoindex_llm_run_1|llm_run\w*_pkey|llm_run_fact_key|llm_run_(fact_)?(parent|root)|llm_run_tree/);
    for (const plan of plans) expect(plan).not.toMatch(/llm_run_page|llm_run_subject|SCAN|Seq Scan/);
  });

  it.skipIf(missing)('for the history and the audit use an index with the order of the list', async () => {
    const { place, database } = await migrated({ missing, ...kind });
    await using _place = place;
    const at = '2026-01-01T00:00:00.000Z';
    const rows = Array.from({ length: 2_000 }, (_row, index) => index);
    const change = { sequence: 0, kind: 'model', name: 'x', before: null, after: null, at, actor: '', summary: '' };
    const entry = { at, tenant: 'acme', target: 'x', before: null, after: null, detail: null, sequence: null, hash: null };
    await database.insertMany([
      { table: 'llm_config_history', rows: rows.map((revision) => ({ revision, tenant: `t-${revision % 20}`, ...change })) },
      {
        table: 'llm_audit',
        rows: rows.map((index) => ({
          id: `id-${String(index).padStart(6, '0')}`,
          actor: `a-${index % 30}`,
          act: `act-${index % 30}`,
          request_id: `r-${index}`,
          ...entry,
        })),
      },
    ]);
    if (database.kind === 'postgres') await sql`analyze llm_config_history, llm_audit`.execute(database.query);
    const store = (recording: Database) => createConfigStore(recording);
    const history = await plansOf(database, async (recording) => {
      await store(recording).history({ tenant: 't-3', after: 1_000, limit: 50 });
      await store(recording).history({ tenant: 't-3', after: 1_000, afterSequence: 0, limit: 50 });
    });
    expect(history).toHaveLength(2);
    for (const plan of history) expect(plan).toMatch(/llm_config_history_tenant/);
    const audit = await plansOf(database, async (recording) => {
      const log = createAuditLog({ database: recording, dataDir: place.dataDir, logger: place.logger });
      for (const filter of [{}, { act: 'act-3' }, { act: 'none' }, { actors: ['a-3'] }, { requestId: 'r-5' }])
        await log.list({ tenant: 'acme', after: 'id-001900', limit: 50, filter });
      await log[Symbol.asyncDispose]();
    });
    expect(audit).toHaveLength(5);
    const indexes = [/llm_audit_p(age|key)/, /llm_audit_act/, /llm_audit_act/, /llm_audit_actor/, /llm_audit_request_id/];
    for (const [index, plan] of audit.entries()) expect(plan).toMatch(indexes[index] as RegExp);
    for (const plan of [...history, ...audit]) expect(plan).not.toMatch(/TEMP B-TREE|SCAN/);
  });
});
