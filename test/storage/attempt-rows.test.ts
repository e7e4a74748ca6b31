/** The only attempt of a run lies in the row of the run, on both databases; readers see it as any other attempt. */
import { sql } from 'kysely';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Database } from '../../src/storage/database.ts';
import { createLedger } from '../../src/storage/ledger.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { createRunReader, type RunDetail } from '../../src/storage/run-reader.ts';
import type { AttemptRecord, RunRecord } from '../../src/types/run.ts';
import { databaseKinds, migrated, type TestDatabase } from './databases.ts';
import { runRecord } from './records.ts';

const usage = { inputTokens: 12, outputTokens: 7, cachedInputTokens: 3, reasoningTokens: 2 };

/** A run whose only attempt answered. */
function singleRun(over: Partial<RunRecord> = {}, ofAttempt: Partial<AttemptRecord> = {}): RunRecord {
  const [, last] = runRecord().attempts as [AttemptRecord, AttemptRecord];
  const money = { cost: 42, costFemto: 7, currency: 'CNY' };
  return runRecord({ usage, ...money, attempts: [{ ...last, number: 1, usage, ...money, ...ofAttempt }], ...over });
}

for (const kind of databaseKinds) {
  describe.skipIf(kind.missing)(`attempts on ${kind.name}`, () => {
    let place: TestDatabase;
    let database: Database;

    beforeEach(async () => {
      ({ place, database } = await migrated(kind));
    });
    afterEach(() => place[Symbol.asyncDispose]());

    const rowsOf = (run: RunRecord) => database.query.selectFrom('llm_attempt').selectAll().where('run_id', '=', run.id).execute();
    async function recorded(run: RunRecord): Promise<RunDetail> {
      await using ledger = createLedger({ database, dataDir: place.dataDir, logger: place.logger });
      ledger.record(run);
      await ledger.flush();
      const reader = createRunReader(database, { read: () => Promise.resolve(new Map()) });
      return (await reader.get('acme', run.id, null)) as RunDetail;
    }

    it('reads the attempt in the row of a run as it reads one with a row of its own', async () => {
      const [single, apart] = [singleRun(), singleRun({}, { detail: 'a note' })];
      const one = await recorded(single);
      const other = await recorded(apart);
      expect(await rowsOf(single)).toEqual([]);
      expect(await rowsOf(apart)).toHaveLength(1);
      expect(one.attempts).toHaveLength(1);
      expect(one.attempts).toEqual(other.attempts.map((attempt) => ({ ...attempt, detail: null })));
    });

    it.each<[string, RunRecord]>([
      ['the attempt failed', singleRun({ outcome: 'error', error: 'upstream_error' }, { outcome: 'error', error: 'upstream_error' })],
      ['the client left', singleRun({ outcome: 'aborted', error: 'client_closed_request' }, { outcome: 'aborted' })],
      ['the run failed after a complete attempt', singleRun({ outcome: 'error', error: 'internal_error' })],
      ['its counts are estimated', singleRun({}, { usage: null })],
      ['its counts are not those of the run', singleRun({}, { usage: { ...usage, outputTokens: 8 } })],
      ['its cache counts are not those of the run', singleRun({}, { usage: { ...usage, cacheWriteTokens: 1 } })],
      ['its cost is not that of the run', singleRun({}, { cost: 41 })],
      ['its currency is not that of the run', singleRun({}, { currency: 'USD' })],
      ['another deployment is named for the run', singleRun({ deployment: 'gpt-4o#other/gpt-4o' })],
      ['there are two attempts', runRecord()],
    ])('keeps a row of its own where %s', async (_why, run) => {
      const detail = await recorded(run);
      expect(await rowsOf(run)).toHaveLength(run.attempts.length);
      expect(detail.attempts.map(({ number, deployment, outcome }) => ({ number, deployment, outcome }))).toEqual(
        run.attempts.map(({ number, deployment, outcome }) => ({ number, deployment, outcome })),
      );
    });

    it('reads attempts that earlier versions stored, and runs without attempts', async () => {
      const none = await recorded(runRecord({ attempts: [] }));
      expect(none.attempts).toEqual([]);
      const old = await recorded(singleRun({}, { detail: 'a note' }));
      expect(old.attempts[0]).toMatchObject({ provider: 'openai', upstream_model: 'gpt-4o', status: 200, detail: 'a note' });
    });

    it('adds a migration whose number lies before the last applied one', async () => {
      // The sums of attempts read these columns.
      const { rows } =
        kind.name === 'SQLite'
          ? await sql<{ sql: string }>`select sql from sqlite_master where name = 'llm_run_batch_added'`.execute(database.query)
          : { rows: [] };
      if (kind.name === 'SQLite') await sql`drop trigger llm_run_batch_added`.execute(database.query);
      else await sql`drop trigger llm_run_attempted on llm_run`.execute(database.query);
      await sql`drop view llm_run_all`.execute(database.query);
      for (const column of ['upstream_model', 'status', 'started_at', 'first_token_at', 'ended_at'])
        await sql`alter table llm_run drop column ${sql.ref(`attempt_${column}`)}`.execute(database.query);
      await sql`delete from llm_migration where name = '0047-single-attempts'`.execute(database.query);
      expect(await migrate(database)).toEqual(['0047-single-attempts']);
      for (const trigger of rows) await sql.raw(trigger.sql).execute(database.query);
      expect((await recorded(singleRun())).attempts).toHaveLength(1);
    });
  });
}
