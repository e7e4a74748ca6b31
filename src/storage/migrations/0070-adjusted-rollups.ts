/**
 * What attempts used beyond their runs, by hour and by day. The roll-ups have the tokens and money of runs, with the deployment that answered,
 * in the hour in which the run began. A row of these tables takes those of a run away and adds those of its attempts, each with its own
 * deployment and hour. Only runs whose attempts have rows of their own, or began in another hour, have any (decision 69).
 */
import { type Kysely, type RawBuilder, sql } from 'kysely';
import { isPostgres, largestCost, largestCount, possible } from './day-sums.ts';
import { insertSeries, labelsOf, rollupSpans, type RollupSpan, seriesKey } from './rollup-sums.ts';
import { wideRuns } from './run-facts.ts';

/** The columns of the roll-ups with tokens and money. */
export const adjustedSums = [
  'input_tokens',
  'output_tokens',
  'cached_input_tokens',
  'cache_write_tokens',
  'reasoning_tokens',
  'cost',
  'cost_femto',
] as const;
const spans = Object.keys(rollupSpans) as RollupSpan[];
const hour = sql.lit(rollupSpans.hour);
const ofRun = ['tenant', 'issuer', 'subject', 'client', 'key_id', 'capability', 'via'] as const;
const ofAttempt = ['deployment', 'provider', 'error', 'currency'] as const;

type Alias = 'run' | 'attempt';
const names = (list: readonly string[]): RawBuilder<unknown> => sql.join(list.map((name) => sql.ref(name)));

interface Part {
  /** With the alias `run`, and `attempt` where the counts are those of attempts with rows of their own. */
  readonly from: RawBuilder<unknown>;
  readonly counts: Alias;
  readonly startedAt: string;
  readonly sign: 1 | -1;
}

/** Rows with the columns that a series needs, and signed counts. */
function rowsOf({ from, counts, startedAt, sign }: Part, postgres: boolean): RawBuilder<unknown> {
  const own = (name: string): RawBuilder<unknown> => sql.ref(`${counts}.${name}`);
  const amounts = adjustedSums.map((name) => {
    const most = name.startsWith('cost') ? largestCost : largestCount;
    const amount = sql`case when ${possible(own(name), most, postgres)} then coalesce(${own(name)}, 0) else 0 end`;
    return sql`${sign === 1 ? sql`` : sql`-`}(${amount}) as ${sql.ref(name)}`;
  });
  const at = sql.ref(startedAt);
  return sql`select ${sql.join(ofRun.map((name) => sql.ref(`run.${name}`)))}, ${sql.join(ofAttempt.map((name) => own(name)))},
    ${at} as started_at, ${at} as ended_at, ${at} as first_token_at, run.parent as parent, 'error' as outcome, ${sql.join(amounts)} ${from}`;
}

/** PostgreSQL finds a series by the digest of its labels. */
const digest = sql`encode(sha256(convert_to(jsonb_build_array(${names(seriesKey)})::text, 'UTF8')), 'hex')`;

const isAnyUsed = (amount: (name: string) => RawBuilder<unknown>): RawBuilder<unknown> =>
  sql.join(
    adjustedSums.map((name) => sql`${amount(name)} <> 0`),
    sql` or `,
  );

const tableOf = (span: RollupSpan): string => `llm_rollup_${span}_adjustment`;

/** Ordered by key, so that two concurrent nodes lock rows in the same order. */
function addTo(span: RollupSpan, source: RawBuilder<unknown>, postgres: boolean): RawBuilder<unknown> {
  const table = sql.table(tableOf(span));
  const labels = Object.entries(labelsOf(postgres)).map(([name, value]) => sql`${value} as ${sql.ref(name)}`);
  const start = sql`run.started_at - run.started_at % ${sql.lit(rollupSpans[span])} as start`;
  const each = sql`select ${sql.join(labels)}, ${start}, ${sql.join(adjustedSums.map((name) => sql.ref(`run.${name}`)))} from ${source}`;
  const sums = adjustedSums.map((name) => sql`sum(${sql.ref(name)}) as ${sql.ref(name)}`);
  const grouped = sql`select ${names(seriesKey)} ${postgres ? sql`, ${digest} as digest` : sql``}, start, ${sql.join(sums)}
    from (${each}) each_row group by ${names(seriesKey)}, start having ${isAnyUsed((name) => sql`sum(${sql.ref(name)})`)}`;
  const found = postgres
    ? sql`series.digest = added.digest`
    : sql.join(
        seriesKey.map((name) => sql`series.${sql.ref(name)} = added.${sql.ref(name)}`),
        sql` and `,
      );
  const adding = adjustedSums.map((name) => sql`${sql.ref(name)} = ${table}.${sql.ref(name)} + excluded.${sql.ref(name)}`);
  return sql`insert into ${table} (${names(['tenant', 'start', 'series', ...adjustedSums])})
    select added.tenant, added.start, series.id, ${sql.join(adjustedSums.map((name) => sql.ref(`added.${name}`)))}
    from (${grouped}) added join llm_rollup_series series on ${found} where true order by added.tenant, added.start, series.id
    on conflict (tenant, start, series) do update set ${sql.join(adding)}`;
}

/** The statements that take `parts` into the tables. */
export function adjust(parts: readonly Part[], postgres: boolean): RawBuilder<unknown> {
  const rows = sql.join(
    parts.map((part) => rowsOf(part, postgres)),
    sql` union all `,
  );
  const source = sql`(select * from (${rows}) every_row where ${isAnyUsed((name) => sql.ref(name))}) run`;
  return sql.join([insertSeries(source, postgres), ...spans.map((span) => addTo(span, source, postgres))], sql`; `);
}

/** Attempts with rows of their own, and their runs. `runOf` joins the run of a row `attempt`. */
function apart(attempts: RawBuilder<unknown>, key: 'run_id' | 'run_key', runOf: RawBuilder<unknown>): readonly Part[] {
  const runs = sql`(select distinct attempt.${sql.ref(key)} from ${attempts}) attempt`;
  return [
    { from: sql`from ${runs} ${runOf}`, counts: 'run', startedAt: 'run.started_at', sign: -1 },
    { from: sql`from (select attempt.* from ${attempts}) attempt ${runOf}`, counts: 'attempt', startedAt: 'attempt.started_at', sign: 1 },
  ];
}

/** The only attempts of runs in narrow rows, in their rows. */
export const moved = (from: RawBuilder<unknown>): readonly Part[] => [
  { from, counts: 'run', startedAt: 'run.started_at', sign: -1 },
  { from, counts: 'run', startedAt: 'run.attempt_started_at', sign: 1 },
];

/** True for a run whose only attempt began in another hour, `after` milliseconds after the run. */
export const beganLater = (row: string, after: RawBuilder<unknown> = sql.ref(`${row}.attempt_started_ms`)): RawBuilder<unknown> =>
  sql`(${sql.ref(`${row}.started_at`)} + ${after}) / ${hour} <> ${sql.ref(`${row}.started_at`)} / ${hour}`;

async function onPostgres(database: Kysely<unknown>): Promise<void> {
  const trigger = async (name: string, table: string, condition: RawBuilder<unknown>, body: RawBuilder<unknown>): Promise<void> => {
    await sql`create or replace function ${sql.ref(name)}() returns trigger language plpgsql as $body$ begin
      if exists (select 1 from ${condition}) then ${body}; end if; return null; end $body$`.execute(database);
    await sql`create trigger ${sql.ref(name)} after insert on ${sql.table(table)} referencing new table as fresh
      for each statement execute function ${sql.ref(name)}()`.execute(database);
  };
  const facts = apart(
    sql`fresh attempt where attempt.run_key is not null`,
    'run_key',
    sql`join llm_run_row run on run.packed_id = attempt.run_key`,
  );
  const old = apart(sql`fresh attempt where attempt.run_key is null`, 'run_id', sql`join llm_run run on run.id = attempt.run_id`);
  await trigger('llm_attempt_of_fact_adjusted', 'llm_attempt', sql`fresh where run_key is not null`, adjust(facts, true));
  await trigger('llm_attempt_of_run_adjusted', 'llm_attempt', sql`fresh where run_key is null`, adjust(old, true));
  const runs = sql`from (${wideRuns('fresh', true)} where ${beganLater('fact')}) run`;
  await trigger('llm_run_fact_adjusted', 'llm_run_fact', sql`fresh where ${beganLater('fresh')}`, adjust(moved(runs), true));
}

async function onSqlite(database: Kysely<unknown>): Promise<void> {
  const attempts = sql`llm_attempt attempt where attempt.rowid > new.after_rowid`;
  // In the order of the statement: a few attempts, and the run of each.
  const facts = apart(attempts, 'run_key', sql`cross join llm_run_row run on run.packed_id = attempt.run_key`);
  const old = apart(attempts, 'run_id', sql`cross join llm_run run on run.id = attempt.run_id`);
  await sql`create trigger llm_attempt_batch_adjusted instead of insert on llm_attempt_batch begin
    ${adjust([...facts, ...old], false)}; end`.execute(database);
  const runs = sql`from llm_run_row run where run.fact_rowid > new.after_rowid
    and run.attempt_started_at / ${hour} <> run.started_at / ${hour}`;
  await sql`create trigger llm_run_fact_batch_adjusted instead of insert on llm_run_fact_batch
    when exists (select 1 from llm_run_fact fact where fact.rowid > new.after_rowid and ${beganLater('fact')}) begin
    ${adjust(moved(runs), false)}; end`.execute(database);
}

/** Measured with 300 people: a tenth of each page free takes a sixth less than half of it (migration 0062), and updates still find room. */
async function fillPages(database: Kysely<unknown>): Promise<void> {
  const tables = ['llm_usage_day', 'llm_spend', 'llm_rollup_hour', 'llm_rollup_day', 'llm_attempt_day', ...spans.map(tableOf)];
  for (const table of tables) await sql`alter table ${sql.table(table)} set (fillfactor = 90)`.execute(database);
}

export async function up(database: Kysely<unknown>): Promise<void> {
  const postgres = isPostgres(database);
  for (const span of spans) {
    let table = database.schema
      .createTable(tableOf(span))
      .addColumn('tenant', 'text', (column) => column.notNull())
      .addColumn('start', 'bigint', (column) => column.notNull())
      .addColumn('series', 'bigint', (column) => column.notNull());
    for (const name of adjustedSums) table = table.addColumn(name, 'bigint', (column) => column.notNull());
    table = table.addPrimaryKeyConstraint(`${tableOf(span)}_key`, ['tenant', 'start', 'series'] as never);
    await (postgres ? table : table.modifyEnd(sql`without rowid`)).execute();
  }
  if (postgres) await fillPages(database);
  await (postgres ? onPostgres(database) : onSqlite(database));
}
