/** Fills a database with runs as a company makes them, in SQL: millions in minutes. Rows and sums are those of recorded runs (decision 61). */
import { type RawBuilder, sql } from 'kysely';
import type { Database } from '../src/storage/database.ts';
import { type RunDimension, runDimensions } from '../src/storage/migrations/run-facts.ts';
import { dimensionDigest } from '../src/storage/run-dimensions.ts';

export interface ManyRuns {
  readonly runs: number;
  /** They end now and are spread evenly over so many days. */
  readonly days: number;
  readonly people: number;
  readonly models: number;
  /** A person makes so many calls of one model, one after the other, and then pauses. */
  readonly session: number;
  /** Runs in one transaction. The ledger writes what ended within 100 ms. */
  readonly batch: number;
  readonly now: number;
}

/** People who call at the same time. */
const atOnce = 20;
const issuer = 'https://login.company.example/realms/staff';
type Value = string | number | null;

/** The values of each dimension: one row for each person or model, and those of failed runs after those of complete ones. */
function dimensionRows({ people, models }: ManyRuns): Readonly<Record<Exclude<RunDimension, 'api_key'>, readonly (readonly Value[])[]>> {
  const each = (count: number, row: (index: number) => readonly Value[]): readonly (readonly Value[])[] =>
    Array.from({ length: count }, (_none, index) => row(index));
  const subject = (index: number): string => `5f0c9a1e-6d1b-4c58-9e0f-${index.toString(16).padStart(12, '0')}`;
  const complete = (index: number): readonly Value[] =>
    ['chat', 1, null, 'complete', null, `model-${index}#vendor/upstream-model`, 'vendor', 'CNY', 0, 0, 'upstream-model', 200] as const;
  return {
    person: each(people, (index) => ['default', issuer, subject(index)]),
    caller: each(people, (index) => [`person-${index}`, 'web', 'user']),
    target: each(models, (index) => ['default', `model/model-${index}`]),
    result: [...each(models, complete), ['chat', 1, null, 'error', 'upstream_error', null, 'vendor', null, 0, 0, null, null]],
  };
}

/** Inserts the rows of a dimension and returns their ids in order. */
async function idsOf({ query }: Database, name: RunDimension, rows: readonly (readonly Value[])[]): Promise<readonly number[]> {
  const table = sql.table(`llm_run_${name}`);
  const columns = sql.join(['digest', ...runDimensions[name]].map((column) => sql.ref(column)));
  const ids: number[] = [];
  for (const row of rows) {
    const digest = dimensionDigest(row);
    await sql`insert into ${table} (${columns}) values (${sql.join([digest, ...row])}) on conflict do nothing`.execute(query);
    const found = await sql<{ id: number }>`select id from ${table} where digest = ${digest}`.execute(query);
    ids.push(...found.rows.map(({ id }) => id));
  }
  return ids;
}

type Ids = Readonly<Record<keyof ReturnType<typeof dimensionRows>, readonly number[]>>;

/** Common tables with the ids of each dimension by number. */
function numbered(ids: Ids): RawBuilder<unknown> {
  const tables = Object.entries(ids).map(
    ([name, list]) =>
      sql`${sql.table(`${name}s`)} (number, id) as (values ${sql.raw(list.map((id, index) => `(${index}, ${id})`).join(', '))})`,
  );
  return sql`with ${sql.join(tables)}`;
}

/** The rows `from` to `to` (exclusive) of a generated ledger. One run in fifty failed; those have an attempt of their own. */
function rowsOf(postgres: boolean, from: number, to: number, { runs, days, people, models, session, now }: ManyRuns): string {
  const hex = (text: string, digits: number): string =>
    postgres ? `lpad(to_hex((${text})::bigint), ${digits}, '0')` : `printf('%0${digits}x', ${text})`;
  const step = (days * 86_400_000) / runs;
  const start = `(${Math.floor(now - days * 86_400_000)} + cast(n * ${step} as ${postgres ? 'bigint' : 'integer'}))`;
  // UUIDs as `newOrderedId` makes them: the time, then digits that differ.
  const digits = `(n * 2654435761) % 281474976710656`;
  const id = (variant: string): string => {
    const text = `${hex(start, 12)} || '7' || substr(${hex(digits, 12)}, 1, 3) || '${variant}' || substr(${hex(digits, 12)}, 4, 3) || ${hex(digits, 12)}`;
    return postgres ? `decode(${text}, 'hex')` : `unhex(${text})`;
  };
  const series = postgres
    ? `generate_series(${from}::bigint, ${to - 1}) numbers (n)`
    : `(with recursive numbers (n) as (select ${from} union all select n + 1 from numbers where n < ${to - 1}) select n from numbers)`;
  // The sessions of `atOnce` people at a time, and then of the next ones.
  const sessionNumber = `(n / ${atOnce * session} * ${atOnce} + n % ${atOnce})`;
  const ok = (text: string): string => `case when n % 50 = 0 then null else ${text} end`;
  return `select n, ${id('a')} as id, ${id('b')} as request_id, ${start} as started_at, (${sessionNumber} * 7919) % ${people} as person,
    (${sessionNumber} + ${sessionNumber} / ${people}) % ${models} as model, case when n % 50 = 0 then ${models} else (${sessionNumber} + ${sessionNumber} / ${people}) % ${models} end as result,
    ${ok('300 + n % 900')} as first_token_ms, 1500 + n % 9000 as ended_ms, ${ok('1')} as attempt_started_ms,
    ${ok('1499 + n % 9000')} as attempt_ended_ms, ${ok('900 + n % 4000')} as input_tokens, ${ok('200 + n % 700')} as output_tokens,
    ${ok('1200 + n % 9000')} as cost, ${ok('0')} as cost_femto, case when n % 50 = 0 then 1 end as failed
    from ${series}`;
}

/** Columns of `llm_run_fact` with their values, as the writer of the ledger fills them on each database. */
const long: Readonly<Record<string, string>> = {
  ...Object.fromEntries(
    'id request_id started_at first_token_ms ended_ms attempt_started_ms attempt_ended_ms input_tokens output_tokens cost cost_femto failed'
      .split(' ')
      .map((name) => [name, `made.${name}`]),
  ),
  attempt_first_token_ms: 'made.first_token_ms',
  revision: '7',
};
const short: Readonly<Record<string, string>> = {
  id: 'made.id',
  started_at: 'made.started_at',
  failed: 'made.failed',
  request_uuid: `encode(made.request_id, 'hex')::uuid`,
  short_attempt_started_ms: 'made.attempt_started_ms',
  attempt_first_token_before: 'made.first_token_ms - made.first_token_ms',
  attempt_ended_before: 'made.ended_ms - made.attempt_ended_ms',
  short_first_token_ms: 'made.first_token_ms',
  short_ended_ms: 'made.ended_ms',
  short_input_tokens: 'made.input_tokens',
  short_output_tokens: 'made.output_tokens',
  short_cost: 'made.cost',
  short_revision: '7',
};

/** Returns after each part with the number of runs so far. */
export async function* makeRuns(database: Database, many: ManyRuns): AsyncGenerator<number> {
  const postgres = database.kind === 'postgres';
  const own = postgres ? short : long;
  const rows = dimensionRows(many);
  const ids: Ids = {
    person: await idsOf(database, 'person', rows.person),
    caller: await idsOf(database, 'caller', rows.caller),
    target: await idsOf(database, 'target', rows.target),
    result: await idsOf(database, 'result', rows.result),
  };
  const uuid = postgres
    ? sql`encode(made.id, 'hex')::uuid::text`
    : sql.raw(
        `lower(${[1, 9, 13, 17, 21].map((at, index) => `substr(hex(made.id), ${at}, ${[8, 4, 4, 4, 12][index]})`).join(` || '-' || `)})`,
      );
  for (let from = 0; from < many.runs; from += many.batch) {
    const to = Math.min(many.runs, from + many.batch);
    const made = sql.raw(`(${rowsOf(postgres, from, to, many)}) made`);
    await database.query.transaction().execute(async (transaction) => {
      /** On SQLite, sums the rows that `insert` added. */
      const summed = async (table: string, insert: RawBuilder<unknown>): Promise<void> => {
        const last = postgres
          ? []
          : (await sql<{ last: number }>`select coalesce(max(rowid), 0) as last from ${sql.table(table)}`.execute(transaction)).rows;
        await insert.execute(transaction);
        const batch = table === 'llm_run_fact' ? 'llm_run_fact_batch' : 'llm_attempt_batch';
        for (const row of last) await sql`insert into ${sql.table(batch)} (after_rowid) values (${row.last})`.execute(transaction);
      };
      await summed(
        'llm_run_fact',
        sql`insert into llm_run_fact (${sql.raw(Object.keys(own).join(', '))}, tenant, person, caller, target, result)
          ${numbered(ids)} select ${sql.raw(Object.values(own).join(', '))}, 'default', persons.id, callers.id, targets.id, results.id
          from ${made} join persons on persons.number = made.person join callers on callers.number = made.person
          join targets on targets.number = made.model join results on results.number = made.result`,
      );
      await summed(
        'llm_attempt',
        sql`insert into llm_attempt (run_id, run_key, number, deployment, provider, upstream_model, started_at, ended_at, outcome, status, error)
          select ${uuid}, made.id, 1, 'model-' || made.model || '#vendor/upstream-model', 'vendor', 'upstream-model',
            made.started_at, made.started_at + made.ended_ms, 'error', 503, 'upstream_error' from ${made} where made.failed = 1`,
      );
    });
    yield to;
  }
}
