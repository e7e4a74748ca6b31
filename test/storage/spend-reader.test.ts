/** What budgets count, on both databases: by quarter hours and days, whatever runs are kept. */
import { sql } from 'kysely';
import { beforeEach, describe, expect, it } from 'vitest';
import type { Database } from '../../src/storage/database.ts';
import { createLedger } from '../../src/storage/ledger.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { createSpendReader } from '../../src/storage/spend-reader.ts';
import type { RunRecord } from '../../src/types/run.ts';
import { databaseKinds, type TestDatabase } from './databases.ts';
import { putOldRun, runRecord } from './records.ts';

const quarter = 900_000;
const day = 86_400_000;
/** 00:00 UTC of the current day. */
const today = Math.floor(Date.now() / day) * day;

describe.each(databaseKinds)('spend on $name', (kind) => {
  let database: Database;
  let place: TestDatabase;
  beforeEach(() => async () => place[Symbol.asyncDispose]());

  const open = async (last?: string): Promise<void> => {
    place = await kind.create();
    database = await place.open();
    await migrate(database, null, last);
  };
  const record = async (...runs: readonly Partial<RunRecord>[]): Promise<void> => {
    await using ledger = createLedger({ database, dataDir: place.dataDir, logger: place.logger });
    for (const run of runs) ledger.record(runRecord({ currency: 'USD', costFemto: 0, attempts: [], ...run }));
    await ledger.flush();
  };
  const since = async (...moments: readonly number[]): Promise<number[][]> =>
    (await createSpendReader(database).since('acme', moments)).map((spent) => [...spent.since]);

  it.skipIf(kind.missing)('does not depend on the runs that are kept', async () => {
    await open();
    await record({ startedAt: today - 100 * day, cost: 3 }, { startedAt: today - 1, cost: 4 }, { startedAt: today, cost: 5 });
    await sql`delete from llm_run_fact`.execute(database.query);
    expect(await since(0, today - quarter, today)).toEqual([[12, 9, 5]]);
  });

  it.skipIf(kind.missing)('of one person leaves out the others, also those of the same subject elsewhere', async () => {
    await open();
    const own = { issuer: 'https://auth.example', subject: 'u-1' };
    await record(
      { ...own, startedAt: today, cost: 3 },
      { ...own, startedAt: today, cost: 4, issuer: 'https://partner.example' },
      { ...own, startedAt: today, cost: 5, subject: 'u-2' },
    );
    const spent = await createSpendReader(database).since('acme', [0, today], own);
    expect(spent.map(({ issuer, subject, since: amounts }) => [issuer, subject, ...amounts])).toEqual([[own.issuer, own.subject, 3, 3]]);
  });

  it.skipIf(kind.missing)('begins at any full quarter of an hour', async () => {
    await open();
    const [first, before] = [today - day + 3 * quarter, today - day + 3 * quarter - 1];
    await record(
      { startedAt: before, cost: 1 },
      { startedAt: first, cost: 10 },
      { startedAt: today - 1, cost: 100 },
      { startedAt: today, cost: 1_000 },
    );
    expect(await since(first, today - day, today)).toEqual([[1_110, 1_111, 1_000]]);
  });

  it.skipIf(kind.missing)('counts a run once, however often it is written', async () => {
    await open();
    const run = { id: 'run-1', root: 'run-1', startedAt: today, cost: 7 };
    await record(run);
    await record(run, { startedAt: today, cost: 1, costFemto: 500_000_000 });
    expect(await since(0)).toEqual([[8.5]]);
  });

  it.skipIf(kind.missing)('belongs to the person, the roles, the key and the model that answered', async () => {
    await open();
    const roles = Array.from({ length: 400 }, (_each, index) => `a-role-with-a-long-name-${index}`);
    await record(
      { startedAt: today, cost: 1, roles, key: 'k', client: 'c' },
      { startedAt: today, cost: 2, roles: roles.slice(1), key: 'k', client: 'c' },
      { startedAt: today, cost: 4, roles, key: 'k', client: 'c', capability: 'model/first', deployment: 'other#p/up' },
      { startedAt: today, cost: 8, roles, capability: 'model/first', deployment: null },
      { startedAt: today, cost: 16, tenant: 'other' },
    );
    const spent = await createSpendReader(database).since('acme', [0]);
    const found = spent.map(({ model, client, key, roles: held, since: [amount] }) => [amount, model, client, key, held.length]);
    expect(found.toSorted(([one], [other]) => Number(one) - Number(other))).toEqual([
      [1, 'gpt-4o', 'c', 'k', 400],
      [2, 'gpt-4o', 'c', 'k', 399],
      [4, 'other', 'c', 'k', 400],
      [8, 'first', null, null, 400],
    ]);
    expect(spent[0]?.roles).toContain('a-role-with-a-long-name-399');
  });

  it.skipIf(kind.missing)('leaves out what has no cost, no currency, or no budget', async () => {
    await open();
    await record(
      { startedAt: today, cost: null, currency: null },
      { startedAt: today, cost: 9, unbudgeted: true },
      { startedAt: today, cost: 0 },
    );
    expect(await since(0)).toEqual([]);
  });

  it.skipIf(kind.missing)('of an older version is that of its ledger', async () => {
    await open('0025-budget-alerts');
    const runs = [
      { startedAt: today - 400 * day, cost: 1 },
      { startedAt: today - quarter, cost: 10, costFemto: 250_000_000 },
      { startedAt: today, cost: 100, deployment: 'other#p/up' },
      { startedAt: today, cost: 1_000, unbudgeted: true },
    ];
    for (const run of runs) await putOldRun(database, { currency: 'USD', ...run });
    await migrate(database);
    const sums = async () => (await since(0, today - quarter, today)).toSorted((one, other) => (one[0] ?? 0) - (other[0] ?? 0));
    expect(await sums()).toEqual([
      [11.25, 10.25, 0],
      [100, 100, 100],
    ]);
    await record(...runs);
    expect(await sums(), 'the same again, summed as it comes').toEqual([
      [22.5, 20.5, 0],
      [200, 200, 200],
    ]);
  });
});
