/** Older stored data keeps its meaning: micro-units become decimals, and impossible counts become unknown; on both databases. */
import { sql } from 'kysely';
import { describe, expect, it } from 'vitest';
import { createConfigStore } from '../../src/storage/config-store.ts';
import type { Database } from '../../src/storage/database.ts';
import { migrate } from '../../src/storage/migrate.ts';
import { createRunReader } from '../../src/storage/run-reader.ts';
import { createSpendReader } from '../../src/storage/spend-reader.ts';
import { createUsageReader } from '../../src/storage/usage-reader.ts';
import { limitSpec } from '../../src/types/limit-spec.ts';
import { modelSpec } from '../../src/types/resources.ts';
import { databaseKinds } from './databases.ts';
import { sumLastRun } from './records.ts';

const lastOfMicroUnits = '0019-bound-grants';
const day = 20_000;
const at = day * 86_400_000;

interface OldRun {
  readonly input?: string;
  readonly output?: string;
  readonly cost?: string;
  readonly model?: string;
}

let count = 0;

/** Inserted directly, as a number that former code accepted from a vendor. */
async function putRun({ query }: Database, { input = '10', output = '2', cost = '100', model = 'gpt' }: OldRun = {}): Promise<string> {
  const id = `run-${count++}`;
  await sql`insert into llm_run (id, root, request_id, tenant, subject, username, roles, capability, operation, streamed, revision,
    started_at, ended_at, outcome, usage_estimated, currency, input_tokens, output_tokens, cost)
    values (${id}, ${id}, 'r', 'acme', 'ming', 'Ming', '', ${`model/${model}`}, 'chat', 0, 1, ${at}, ${at + 5}, 'complete', 0, 'USD',
    ${sql.raw(input)}, ${sql.raw(output)}, ${sql.raw(cost)})`.execute(query);
  return id;
}

const readRuns = async (database: Database) =>
  createRunReader(database, { read: async () => new Map() }).list({
    tenant: 'acme',
    owner: null,
    filter: {},
    after: null,
    limit: 100,
  });
const readUsage = async (database: Database) =>
  (
    await createUsageReader(database).report({
      tenant: 'acme',
      person: null,
      from: day,
      to: day + 1,
      by: ['model'],
      after: null,
      limit: 100,
    })
  ).lines;

const impossible: { kind: string; run: OldRun; only?: 'SQLite' }[] = [
  { kind: 'beyond what a double holds', run: { output: '9007199254740993', cost: '9007199254740993' } },
  { kind: 'about the largest of 64 bits', run: { input: '9223372036854000000' } },
  { kind: 'below zero', run: { output: '-5' } },
  { kind: 'beyond any model', run: { input: '5000000000000' } },
  { kind: 'a cost alone', run: { cost: '9223372036854000000' } },
  { kind: 'no whole number', run: { output: '1e300', cost: '1e297' }, only: 'SQLite' },
  { kind: 'a fraction', run: { input: '0.5' }, only: 'SQLite' },
  { kind: 'a text', run: { output: `'many'` }, only: 'SQLite' },
];

describe.each(databaseKinds)('on $name', (kindOfDatabase) => {
  const { name, missing } = kindOfDatabase;
  it.skipIf(missing)('amounts in micro-units become decimals in rows, in the history, and nowhere else', async () => {
    await using place = await kindOfDatabase.create();
    const database = await place.open();
    await migrate(database, null, lastOfMicroUnits);
    const spec = {
      model: { deployments: [{ provider: 'p', model: 'm', price: { currency: 'USD', input: 2_500_000, cached_input: 1, output: 0 } }] },
      limit: { subject_type: 'tenant', requests_per_minute: 5, spend: { currency: 'CNY', per_day: 50_000_000, per_month: 1 } },
    };
    for (const [kind, table] of [
      ['model', 'llm_model_config'],
      ['limit', 'llm_limit'],
    ] as const) {
      const text = JSON.stringify(spec[kind]);
      const row = JSON.stringify({ id: `id-${kind}`, tenant: 'acme', kind, name: 'x', spec: spec[kind] });
      await sql`insert into ${sql.table(table)} (id, tenant, name, spec, enabled, revision, created_at, created_by, updated_at, updated_by)
        values (${`id-${kind}`}, 'acme', 'x', ${text}, 1, 1, '', '', '', '')`.execute(database.query);
      await sql`insert into llm_config_history (revision, sequence, kind, tenant, name, before, after, at, actor, summary)
        values (1, ${kind === 'model' ? 0 : 1}, ${kind}, 'acme', 'x', null, ${row}, '', '', '')`.execute(database.query);
    }
    await migrate(database);
    const store = createConfigStore(database);
    const current = (await store.load()).rows;
    const history = (await store.history({ tenant: 'acme', after: 0, limit: 10 })).map(({ after }) => after);
    for (const rows of [current, history]) {
      const of = (kind: string) => rows.find((row) => row?.kind === kind)?.spec;
      expect(of('model')).toEqual({
        deployments: [{ provider: 'p', model: 'm', price: { currency: 'USD', input: '2.5', cached_input: '0.000001', output: '0' } }],
      });
      expect(of('limit')).toEqual({
        subject_type: 'tenant',
        requests_per_minute: 5,
        spend: { currency: 'CNY', per_day: '50', per_month: '0.000001' },
      });
      expect([modelSpec.safeParse(of('model')).success, limitSpec.safeParse(of('limit')).success]).toEqual([true, true]);
    }
  });

  it.skipIf(missing)('a row or a history entry that was damaged manually is unchanged and stops no migration', async () => {
    await using place = await kindOfDatabase.create();
    const database = await place.open();
    await migrate(database, null, '0017-trees-of-runs');
    const texts = ['{"deploy', '[]', 'null', '{"deployments":7}'];
    for (const [index, text] of texts.entries()) {
      for (const table of ['llm_model_config', 'llm_limit'])
        await sql`insert into ${sql.table(table)} (id, tenant, name, spec, enabled, revision, created_at, created_by, updated_at, updated_by)
          values (${`id-${index}`}, 'acme', ${`x${index}`}, ${text}, 1, 1, '', '', '', '')`.execute(database.query);
      await sql`insert into llm_config_history (revision, sequence, kind, tenant, name, before, after, at, actor, summary)
        values (1, ${index}, 'limit', 'acme', 'x', null, '{"spec', '', '', '')`.execute(database.query);
    }
    await migrate(database);
    for (const table of ['llm_model_config', 'llm_limit']) {
      const { rows } = await sql<{ spec: string }>`select spec from ${sql.table(table)} order by id`.execute(database.query);
      expect(rows.map(({ spec }) => spec)).toEqual(texts);
    }
  });

  it.skipIf(missing)('costs in micro-units are the same amounts afterwards, and new ones add to them', async () => {
    await using place = await kindOfDatabase.create();
    const database = await place.open();
    await migrate(database, null, lastOfMicroUnits);
    await putRun(database, { cost: '1500000' });
    await migrate(database);
    await sql`update llm_run set cost_femto = 1`.execute(database.query);
    await putRun(database, { cost: '1500000' });
    await sumLastRun(database);
    expect((await readRuns(database)).data.map(({ cost }) => cost)).toEqual([1.5, 1.500000000000001]);
    expect(await readUsage(database)).toMatchObject([{ cost: 3, runs: 2, input_tokens: 20 }]);
  });

  describe.each(impossible.filter(({ only }) => only === undefined || only === name))('a count that is $kind', ({ kind, run }) => {
    it.skipIf(missing)('is unknown after the migration, and the sums of its day are those of the others', async () => {
      await using place = await kindOfDatabase.create();
      const database = await place.open();
      await migrate(database, null, lastOfMicroUnits);
      await putRun(database);
      const bad = await putRun(database, run);
      await putRun(database, { model: 'other' });
      await migrate(database);
      const { data } = await readRuns(database);
      expect(data).toHaveLength(3);
      expect(data.find(({ id }) => id === bad)).toMatchObject({ usage: kind === 'a cost alone' ? { input_tokens: 10 } : null, cost: null });
      const lines = await readUsage(database);
      const expected = kind === 'a cost alone' ? { input_tokens: 20, output_tokens: 4 } : { input_tokens: 10, output_tokens: 2 };
      expect(lines).toMatchObject([
        { of: { model: 'gpt' }, runs: 2, ...expected, cost: 0.0001 },
        { of: { model: 'other' }, runs: 1, input_tokens: 10, output_tokens: 2, cost: 0.0001 },
      ]);
      const stored = await sql<{ cost: unknown }>`select cost from llm_usage_day`.execute(database.query);
      expect(stored.rows.map((row) => Number(row.cost))).toEqual([100, 100]);
    });

    it.skipIf(missing)('that is inserted later, directly, breaks no reader and no sum', async () => {
      await using place = await kindOfDatabase.create();
      const database = await place.open();
      await migrate(database);
      await putRun(database);
      await sumLastRun(database);
      const bad = await putRun(database, run);
      await sumLastRun(database);
      await putRun(database);
      await sumLastRun(database);
      const { data } = await readRuns(database);
      expect(data).toHaveLength(3);
      expect(data.find(({ id }) => id === bad)?.usage === null).toBe(kind !== 'a cost alone');
      const [line] = await readUsage(database);
      expect(line?.runs).toBe(3);
      const numbers = Object.values(line ?? {}).filter((value) => typeof value === 'number');
      expect(numbers.filter((value) => value < 0 || value >= 1e12)).toEqual([]);
      const [spent] = await createSpendReader(database).since('acme', [0]);
      expect(spent?.since[0]).toBeLessThan(1e15);
    });
  });
});
