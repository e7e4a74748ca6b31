/**
 * Daily sums of attempts: what vendors bill, which is more than what answers used. Each insert of runs and attempts adds to them in the same
 * transaction: on PostgreSQL by triggers on the statements, on SQLite by the views that the writer of a batch inserts into.
 */
import { type Kysely, type RawBuilder, sql } from 'kysely';
import { dayCounts } from './0022-decimal-amounts.ts';
import { isPostgres, largestCost, largestCount, possible } from './day-sums.ts';

const dayMs = sql.lit(86_400_000);

/** Empty text for missing values. */
const keys = ['tenant', 'day', 'issuer', 'subject', 'client', 'key_id', 'capability', 'via', 'deployment', 'provider', 'currency'] as const;
const ofRun = ['issuer', 'client', 'key_id', 'via'] as const;
const sums = ['attempts', 'estimated', 'unpriced', ...dayCounts] as const;
/** Counts that attempts with a row of their own did not have. */
const newCounts = ['reasoning_tokens', 'pictures', 'milliseconds', 'characters', 'pages', 'searches', 'usage_estimated'] as const;

const names = (list: readonly string[]): RawBuilder<unknown> => sql.join(list.map((name) => sql.ref(name)));

interface Source {
  /** With the alias `run`, and `attempt` where attempts have rows of their own. */
  readonly from: RawBuilder<unknown>;
  /** The alias of the row with the counts. */
  readonly counts: 'run' | 'attempt';
  readonly startedAt: string;
}

/** One row for each attempt. */
function attemptsOf({ from, counts, startedAt }: Source, postgres: boolean): RawBuilder<unknown> {
  const run = (name: string) => sql.ref(`run.${name}`);
  const own = (name: string) => sql.ref(`${counts}.${name}`);
  const values = dayCounts.map((name) => {
    const most = name.startsWith('cost') ? largestCost : largestCount;
    return sql`case when ${possible(own(name), most, postgres)} then coalesce(${own(name)}, 0) else 0 end as ${sql.ref(name)}`;
  });
  return sql`select ${run('tenant')} as tenant, ${sql.ref(startedAt)} / ${dayMs} as day, ${run('subject')} as subject,
    ${run('capability')} as capability, ${sql.join(ofRun.map((name) => sql`coalesce(${run(name)}, '') as ${sql.ref(name)}`))},
    coalesce(${own('deployment')}, '') as deployment, coalesce(${own('provider')}, '') as provider,
    coalesce(${own('currency')}, '') as currency, 1 as attempts, coalesce(${own('usage_estimated')}, 0) as estimated,
    case when ${own('input_tokens')} is not null and ${own('cost')} is null then 1 else 0 end as unpriced, ${sql.join(values)} ${from}`;
}

/** PostgreSQL limits the size of an index row, and labels are long: a row is found by a digest of these. */
export const attemptLabels = names(keys);
const wholeDigest = sql`encode(sha256(convert_to(jsonb_build_array(${attemptLabels})::text, 'UTF8')), 'hex')`;

/** Ordered by key, so that two concurrent nodes lock rows in the same order. */
function insertDays(attempts: RawBuilder<unknown>, postgres: boolean, digest = wholeDigest): RawBuilder<unknown> {
  const columns = postgres ? [...keys, ...sums, 'digest'] : [...keys, ...sums];
  const totals = sql.join(sums.map((name) => sql`sum(${sql.ref(name)})`));
  const conflict = postgres ? ['tenant', 'day', 'digest'] : keys;
  const adding = sums.map((name) => sql`${sql.ref(name)} = llm_attempt_day.${sql.ref(name)} + excluded.${sql.ref(name)}`);
  return sql`insert into llm_attempt_day (${names(columns)}) select ${names(keys)}, ${totals} ${postgres ? sql`, ${digest}` : sql``}
    from (${attempts}) each_attempt where true group by ${names(keys)} order by ${postgres ? sql`tenant, day, ${digest}` : names(keys)}
    on conflict (${names(conflict)}) do update set ${sql.join(adding)}`;
}

/** The attempts in the rows of runs. */
export const singleAttempts = (from: RawBuilder<unknown>): Source => ({ from, counts: 'run', startedAt: 'run.attempt_started_at' });
/** The attempts with rows of their own. */
export const attemptsApart = (from: RawBuilder<unknown>): Source => ({ from, counts: 'attempt', startedAt: 'attempt.started_at' });

/** Adds attempts to their days. */
export function addAttempts(source: Source, postgres: boolean, digest = wholeDigest): RawBuilder<unknown> {
  return insertDays(attemptsOf(source, postgres), postgres, digest);
}

async function createTable(database: Kysely<unknown>, postgres: boolean): Promise<void> {
  let table = database.schema.createTable('llm_attempt_day');
  for (const column of keys) table = table.addColumn(column, column === 'day' ? 'integer' : 'text', (each) => each.notNull());
  if (postgres) table = table.addColumn('digest', 'text', (column) => column.notNull());
  for (const column of sums) table = table.addColumn(column, 'bigint', (number) => number.notNull());
  const key = postgres ? ['tenant', 'day', 'digest'] : [...keys];
  table = table.addPrimaryKeyConstraint('llm_attempt_day_key', key as never);
  await (postgres ? table : table.modifyEnd(sql`without rowid`)).execute();
}

/** Days of older versions: their sums belong to the deployment that answered, as they did. */
async function fill(database: Kysely<unknown>, postgres: boolean): Promise<void> {
  const position = (value: RawBuilder<unknown>, text: string) =>
    postgres ? sql`strpos(${value}, ${sql.lit(text)})` : sql`instr(${value}, ${sql.lit(text)})`;
  const rest = sql`substr(deployment, ${position(sql`deployment`, '#')} + 1)`;
  const old = sql`select tenant, day, issuer, subject, client, key_id, capability, via, deployment,
    substr(${rest}, 1, ${position(rest, '/')} - 1) as provider, currency, runs as attempts, estimated, unpriced, ${names(dayCounts)}
    from llm_usage_day where ${position(sql`deployment`, '#')} > 0`;
  await insertDays(old, postgres).execute(database);
}

async function onPostgres(database: Kysely<unknown>): Promise<void> {
  const trigger = async (name: string, table: string, statement: RawBuilder<unknown>): Promise<void> => {
    await sql`create or replace function ${sql.ref(name)}() returns trigger language plpgsql as $body$ begin
      ${statement}; return null; end $body$`.execute(database);
    await sql`create trigger ${sql.ref(name)} after insert on ${sql.table(table)} referencing new table as fresh
      for each statement execute function ${sql.ref(name)}()`.execute(database);
  };
  const runs = singleAttempts(sql`from fresh run where run.attempt_started_at is not null`);
  await trigger('llm_run_attempted', 'llm_run', addAttempts(runs, true));
  const attempts = attemptsApart(sql`from fresh attempt join llm_run run on run.id = attempt.run_id`);
  await trigger('llm_attempt_summed', 'llm_attempt', addAttempts(attempts, true));
}

async function onSqlite(database: Kysely<unknown>): Promise<void> {
  const runs = singleAttempts(sql`from llm_run run where run.rowid > new.after_rowid and run.attempt_started_at is not null`);
  await sql`create trigger llm_run_batch_attempted instead of insert on llm_run_batch begin
    ${addAttempts(runs, false)}; end`.execute(database);
  await sql`create view llm_attempt_batch as select 0 as after_rowid`.execute(database);
  // In the order of the statement: a few attempts, and the run of each.
  const attempts = attemptsApart(
    sql`from llm_attempt attempt cross join llm_run run on run.id = attempt.run_id where attempt.rowid > new.after_rowid`,
  );
  await sql`create trigger llm_attempt_batch_added instead of insert on llm_attempt_batch begin
    ${addAttempts(attempts, false)}; end`.execute(database);
}

export async function up(database: Kysely<unknown>): Promise<void> {
  const postgres = isPostgres(database);
  for (const column of newCounts) await database.schema.alterTable('llm_attempt').addColumn(column, 'bigint').execute();
  await createTable(database, postgres);
  await fill(database, postgres);
  await (postgres ? onPostgres(database) : onSqlite(database));
}
