/** Fills a database with runs as a company makes them, in SQL: millions in minutes. The sums are made as for recorded runs. */
import { type RawBuilder, sql } from 'kysely';
import type { Database } from '../src/storage/database.ts';

export interface ManyRuns {
  readonly runs: number;
  /** They end now and are spread evenly over so many days. */
  readonly days: number;
  readonly people: number;
  readonly models: number;
  readonly now: number;
}

const atOnce = 100_000;

/** The rows `from` to `to` (exclusive) of a generated ledger. One run in fifty failed; those have an attempt of their own. */
function rowsOf(postgres: boolean, from: number, to: number, { runs, days, people, models, now }: ManyRuns): RawBuilder<unknown> {
  const number = (text: string): RawBuilder<unknown> => (postgres ? sql.raw(`(${text})::text`) : sql.raw(`cast(${text} as text)`));
  const hex = (text: string, digits: number): RawBuilder<unknown> =>
    postgres ? sql.raw(`lpad(to_hex((${text})::bigint), ${digits}, '0')`) : sql.raw(`printf('%0${digits}x', ${text})`);
  const step = (days * 86_400_000) / runs;
  const start = `(${Math.floor(now - days * 86_400_000)} + cast(n * ${step} as ${postgres ? 'bigint' : 'integer'}))`;
  // Ids as `newRunId` makes them: the time, then digits that differ.
  const time = hex(start, 12);
  const digits = hex('(n * 2654435761) % 281474976710656', 12);
  const id = sql`substr(${time}, 1, 8) || '-' || substr(${time}, 9, 4) || '-7' || substr(${digits}, 1, 3) || '-a' || substr(${digits}, 4, 3) || '-' || ${digits}`;
  const series = postgres
    ? sql.raw(`generate_series(${from}::bigint, ${to - 1}) numbers (n)`)
    : sql.raw(
        `(with recursive numbers (n) as (select ${from} union all select n + 1 from numbers where n < ${to - 1}) select n from numbers)`,
      );
  // Neighbouring runs are of different people and models.
  const person = `(n * 7919) % ${people}`;
  const model = `(n * 104729) % ${models}`;
  const failed = 'n % 50 = 0';
  return sql`select ${id} as id, ${id} as root, 'req-' || ${digits} as request_id, 'default' as tenant, 'https://login.company.example/realms/staff' as issuer,
    '5f0c9a1e-6d1b-4c58-9e0f-' || ${hex(person, 12)} as subject, 'person-' || ${number(person)} as username, 'web' as client, 'user' as roles,
    'model/model-' || ${number(model)} as capability, 'chat' as operation, 1 as streamed, 7 as revision, ${sql.raw(start)} as started_at,
    ${sql.raw(`case when ${failed} then null else ${start} + 300 + n % 900 end`)} as first_token_at, ${sql.raw(`${start} + 1500 + n % 9000`)} as ended_at,
    ${sql.raw(`case when ${failed} then 'error' else 'complete' end`)} as outcome, ${sql.raw(`case when ${failed} then 'upstream_error' end`)} as error,
    case when ${sql.raw(failed)} then null else 'model-' || ${number(model)} || '#vendor/upstream-model' end as deployment, 'vendor' as provider,
    ${sql.raw(`case when ${failed} then null else 900 + n % 4000 end`)} as input_tokens,
    ${sql.raw(`case when ${failed} then null else 200 + n % 700 end`)} as output_tokens, 0 as usage_estimated,
    ${sql.raw(`case when ${failed} then null else 1200 + n % 9000 end`)} as cost, ${sql.raw(`case when ${failed} then null else 'CNY' end`)} as currency
    from ${series}`;
}

const columns =
  'id, root, request_id, tenant, issuer, subject, username, client, roles, capability, operation, streamed, revision, started_at, first_token_at, ended_at, outcome, error, deployment, provider, input_tokens, output_tokens, usage_estimated, cost, currency';

/** Returns after each part with the number of runs so far. */
export async function* makeRuns(database: Database, many: ManyRuns): AsyncGenerator<number> {
  const postgres = database.kind === 'postgres';
  for (let from = 0; from < many.runs; from += atOnce) {
    const to = Math.min(many.runs, from + atOnce);
    await database.query.transaction().execute(async (transaction) => {
      const { rows } = postgres
        ? { rows: [] }
        : await sql<{ last: number }>`select coalesce(max(rowid), 0) as last from llm_run`.execute(transaction);
      await sql`insert into llm_run (${sql.raw(columns)}) select ${sql.raw(columns)} from (${rowsOf(postgres, from, to, many)}) made`.execute(
        transaction,
      );
      await sql`insert into llm_attempt (run_id, number, deployment, provider, upstream_model, started_at, ended_at, outcome, status, error)
        select id, 1, substr(capability, 7) || '#vendor/upstream-model', 'vendor', 'upstream-model', started_at, ended_at, 'error', 503, 'upstream_error'
        from (${rowsOf(postgres, from, to, many)}) made where outcome = 'error'`.execute(transaction);
      if (!postgres) await sql`insert into llm_run_batch (after_rowid) values (${rows[0]?.last ?? 0})`.execute(transaction);
    });
    yield to;
  }
}
