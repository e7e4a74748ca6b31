/**
 * On SQLite, the sums of a batch are made in one pass. Until here each of six statements read and summed all runs of the batch. Now the
 * first one sums them by everything that any of the sums distinguishes, into `llm_batch_sum`, and the others add these few rows. The table
 * is empty outside of the trigger. PostgreSQL keeps its triggers.
 */
import { type Kysely, type RawBuilder, sql } from 'kysely';
import { dayCounts } from './0022-decimal-amounts.ts';
import { countsForBudgets } from './0032-spend.ts';
import { addToDay, dayKeys, isPostgres, largestCost, largestCount, sumColumns } from './day-sums.ts';
import {
  durationBuckets,
  elapsed,
  firstTokenBuckets,
  labelsOf,
  latencyBounds,
  modelOf,
  rollupSpans,
  rollupSums,
  seriesKey,
  totals,
  type RollupSpan,
} from './rollup-sums.ts';

const dayMs = sql.lit(86_400_000);
const quarterMs = sql.lit(900_000);

/** Columns of the run that some sum distinguishes. */
const labels = [
  'tenant',
  'issuer',
  'subject',
  'client',
  'key_id',
  'roles',
  'capability',
  'deployment',
  'provider',
  'via',
  'error',
  'currency',
] as const;
/** `start` is the quarter hour of the start, `attempt_day` the day of the only attempt; null for runs whose attempts have rows of their own. */
const keys = [...labels, 'start', 'attempt_day'] as const;
const spend = ['spend_runs', 'spend', 'spend_femto'] as const;
const sums = [...new Set([...rollupSums, ...sumColumns(dayCounts), ...spend])];

const names = (list: readonly string[]): RawBuilder<unknown> => sql.join(list.map((name) => sql.ref(name)));
const run = (name: string): RawBuilder<unknown> => sql.ref(`run.${name}`);
const when = (condition: RawBuilder<unknown>): RawBuilder<unknown> => sql`case when ${condition} then 1 else 0 end`;

function count(name: string): RawBuilder<unknown> {
  const most = name.startsWith('cost') ? largestCost : largestCount;
  return sql`case when ${run(name)} between 0 and ${sql.lit(most)} and typeof(${run(name)}) = 'integer' then ${run(name)} else 0 end
    as ${sql.ref(name)}`;
}

/** The number of the histogram's bucket of a time; null for null. */
function bucket(time: RawBuilder<unknown>): RawBuilder<unknown> {
  const upTo = latencyBounds.map((bound, index) => sql`when ${time} <= ${sql.lit(bound)} then ${sql.lit(index)}`);
  return sql`case when ${time} is null then null ${sql.join(upTo, sql` `)} else ${sql.lit(latencyBounds.length)} end`;
}

/**
 * One row for each run of the batch, with the columns that the sums need. `limit` makes SQLite compute each column once; otherwise it
 * would copy the expressions into every sum that uses them.
 */
const runsOf = (
  source: RawBuilder<unknown>,
): RawBuilder<unknown> => sql`select ${sql.join(labels.map((name) => sql`${run(name)} as ${sql.ref(name)}`))},
  ${run('started_at')} - ${run('started_at')} % ${quarterMs} as start, ${run('attempt_started_at')} / ${dayMs} as attempt_day,
  ${run('parent')} as parent, ${run('outcome')} as outcome, ${run('usage_estimated')} as usage_estimated,
  ${when(sql`${run('input_tokens')} is not null and ${run('cost')} is null`)} as unpriced,
  ${sql.join(dayCounts.map(count))}, ${elapsed('ended_at', false)} as duration_ms, ${elapsed('first_token_at', false)} as first_token_ms,
  ${when(countsForBudgets('run', false))} as spends
  from ${source} limit -1`;

const histogram = (columns: readonly string[], name: string): [string, RawBuilder<unknown>][] =>
  columns.map((column, index) => [column, sql`coalesce(sum(${sql.ref(name)} = ${sql.lit(index)}), 0)`]);

const totalOf: Readonly<Record<string, RawBuilder<unknown>>> = {
  ...Object.fromEntries(rollupSums.map((name, index) => [name, totals[index] as RawBuilder<unknown>])),
  ...Object.fromEntries(dayCounts.map((name) => [name, sql`sum(${sql.ref(name)})`])),
  ...Object.fromEntries([...histogram(durationBuckets, 'duration_bucket'), ...histogram(firstTokenBuckets, 'first_token_bucket')]),
  estimated: sql`sum(usage_estimated)`,
  unpriced: sql`sum(unpriced)`,
  spend_runs: sql`sum(spends)`,
  spend: sql`sum(case when spends then cost else 0 end)`,
  spend_femto: sql`sum(case when spends then cost_femto else 0 end)`,
};

const sumBatch = (source: RawBuilder<unknown>): RawBuilder<unknown> => sql`insert into llm_batch_sum (${names([...keys, ...sums])})
  select ${names(keys)}, ${sql.join(sums.map((name) => totalOf[name] as RawBuilder<unknown>))} from (select *, ${bucket(sql`duration_ms`)} as duration_bucket, ${bucket(sql`first_token_ms`)} as first_token_bucket
  from (${runsOf(source)}) limit -1) each_run group by ${names(keys)}`;

const seriesLabels = sql.join(Object.entries(labelsOf(false)).map(([name, value]) => sql`${value} as ${sql.ref(name)}`));

const addSeries = sql`insert into llm_rollup_series (${names([...seriesKey, 'model'])}) select ${names(seriesKey)}, ${modelOf(false)}
  from (select distinct ${seriesLabels} from llm_batch_sum run) each_series where true on conflict do nothing`;

function addRollup(span: RollupSpan): RawBuilder<unknown> {
  const table = sql.table(`llm_rollup_${span}`);
  const found = seriesKey.map((name) => sql`series.${sql.ref(name)} = added.${sql.ref(name)}`);
  const adding = rollupSums.map((name) => sql`${sql.ref(name)} = ${table}.${sql.ref(name)} + excluded.${sql.ref(name)}`);
  const start = sql`${run('start')} - ${run('start')} % ${sql.lit(rollupSpans[span])}`;
  return sql`insert into ${table} (${names(['tenant', 'start', 'series', ...rollupSums])})
    select added.tenant, added.start, series.id, ${sql.join(rollupSums.map((name) => sql.ref(`added.${name}`)))}
    from (select ${seriesLabels}, ${start} as start, ${names(rollupSums)} from llm_batch_sum run) added
    join llm_rollup_series series on ${sql.join(found, sql` and `)} where true
    on conflict (tenant, start, series) do update set ${sql.join(adding)}`;
}

const word = (name: string): RawBuilder<unknown> => sql`coalesce(${run(name)}, '')`;
const needed: readonly string[] = ['tenant', 'subject', 'capability', 'roles'];
const label = (name: string): RawBuilder<unknown> => (needed.includes(name) ? run(name) : word(name));

const addDays = sql`insert into llm_usage_day (${names([...dayKeys, ...sumColumns(dayCounts)])})
  select ${sql.join(dayKeys.map((name) => (name === 'day' ? sql`${run('start')} / ${dayMs}` : label(name))))},
  ${names(sumColumns(dayCounts))} from llm_batch_sum run where true ${addToDay(dayCounts)}`;

const spendKeys = ['tenant', 'span', 'start', 'issuer', 'subject', 'client', 'key_id', 'roles', 'model', 'currency'] as const;

function addSpend(span: 'quarter' | 'day'): RawBuilder<unknown> {
  const start = span === 'day' ? sql`${run('start')} - ${run('start')} % ${dayMs}` : run('start');
  const mark = sql`instr(${run('deployment')}, '#')`;
  const model = sql`case when ${mark} > 0 then substr(${run('deployment')}, 1, ${mark} - 1) else substr(${run('capability')}, 7) end`;
  const values = spendKeys.map((name) =>
    name === 'span' ? sql.lit(span) : name === 'start' ? start : name === 'model' ? model : label(name),
  );
  return sql`insert into llm_spend (${names([...spendKeys, 'cost', 'cost_femto'])})
    select ${sql.join(values)}, ${run('spend')}, ${run('spend_femto')} from llm_batch_sum run where ${run('spend_runs')} > 0
    on conflict (${names(spendKeys)}) do update
    set cost = llm_spend.cost + excluded.cost, cost_femto = llm_spend.cost_femto + excluded.cost_femto`;
}

const attemptKeys = ['tenant', 'day', 'issuer', 'subject', 'client', 'key_id', 'capability', 'via', 'deployment', 'provider', 'currency'];
const attemptSums = ['attempts', 'estimated', 'unpriced', ...dayCounts];

const addAttempts = sql`insert into llm_attempt_day (${names([...attemptKeys, ...attemptSums])})
  select ${sql.join(attemptKeys.map((name) => (name === 'day' ? run('attempt_day') : label(name))))}, ${names(['runs', ...attemptSums.slice(1)])}
  from llm_batch_sum run where ${run('attempt_day')} is not null on conflict (${names(attemptKeys)})
  do update set ${sql.join(attemptSums.map((name) => sql`${sql.ref(name)} = llm_attempt_day.${sql.ref(name)} + excluded.${sql.ref(name)}`))}`;

/**
 * Adds the batch to the roll-up of teams (migration 0073). `teams` has the id of each team for a tenant and the roles of a caller. In the
 * order of the statement: a batch without callers of a team costs nothing.
 */
export function addTeamRollup(span: RollupSpan, teams: RawBuilder<unknown>): RawBuilder<unknown> {
  const table = sql.table(`llm_team_rollup_${span}`);
  const found = Object.entries(labelsOf(false)).map(([name, value]) => sql`series.${sql.ref(name)} = ${value}`);
  const adding = rollupSums.map((name) => sql`${sql.ref(name)} = ${table}.${sql.ref(name)} + excluded.${sql.ref(name)}`);
  const start = sql`${run('start')} - ${run('start')} % ${sql.lit(rollupSpans[span])}`;
  return sql`insert into ${table} (${names(['tenant', 'start', 'team', 'series', ...rollupSums])})
    select run.tenant, ${start}, team.id, series.id, ${sql.join(rollupSums.map(run))} from ${teams} team
    cross join llm_batch_sum run on run.tenant = team.tenant and run.roles = team.roles
    cross join llm_rollup_series series on ${sql.join(found, sql` and `)} where true
    on conflict (tenant, start, team, series) do update set ${sql.join(adding)}`;
}

/** The statements that add the runs of `source` to all sums. `source` is a table with the alias `run`, and may have conditions. `more` are further sums of the batch. */
export function addBatch(source: RawBuilder<unknown>, more: readonly RawBuilder<unknown>[] = []): RawBuilder<unknown> {
  const adding = [addSeries, addRollup('hour'), addRollup('day'), addDays, addSpend('quarter'), addSpend('day'), addAttempts, ...more];
  return sql`${sql.join([sumBatch(source), ...adding], sql`; `)}; delete from llm_batch_sum`;
}

export async function up(database: Kysely<unknown>): Promise<void> {
  if (isPostgres(database)) return;
  await sql`create table llm_batch_sum (${names([...keys, ...sums])})`.execute(database);
  await sql`drop trigger llm_run_batch_added`.execute(database);
  await sql`drop trigger llm_run_batch_attempted`.execute(database);
  await sql`create trigger llm_run_batch_added instead of insert on llm_run_batch begin
    ${addBatch(sql`llm_run run where run.rowid > new.after_rowid`)}; end`.execute(database);
}
