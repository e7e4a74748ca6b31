/**
 * A run takes less of PostgreSQL (decision 70). New rows of `llm_run_fact` have short columns, sums that are 0 are null, and digests are a
 * third as long. Nothing is rewritten: rows of older versions and of older nodes keep their form, and views and sums read both.
 */
import { type Kysely, type RawBuilder, sql } from 'kysely';
import { dayCounts } from './0022-decimal-amounts.ts';
import { addSpendOf, spendLabels, spendSpans } from './0032-spend.ts';
import { addAttempts, attemptLabels, attemptsApart, singleAttempts } from './0060-attempt-days.ts';
import { adjust, beganLater, moved } from './0070-adjusted-rollups.ts';
import { addToTeams } from './0071-team-days.ts';
import { addToDay, insertSums, isPostgres } from './day-sums.ts';
import { insertRollup, insertSeries, rollupSpans, type RollupSpan, sparseSums } from './rollup-sums.ts';
import { dimensionNames, wideRuns } from './run-facts.ts';
import { columnOf, requestMinute, shortNumbers, shortOrLong, shortTimes } from './short-run-columns.ts';

const spans = Object.keys(rollupSpans) as RollupSpan[];

/** Without a default, so that no row is written. */
async function addColumns(database: Kysely<unknown>): Promise<void> {
  const numbers = shortNumbers.map((name) => sql`add column ${sql.ref(`short_${name}`)} integer`);
  const times = shortTimes.map((name) => sql`add column ${sql.ref(name)} smallint`);
  const loosened = ['ended_ms', 'request_id'].map((name) => sql`alter column ${sql.ref(name)} drop not null`);
  // The columns of one byte's alignment first, then those of two and of four: no gaps between them.
  await sql`alter table llm_run_fact ${sql.join([sql`add column request_uuid uuid`, ...times, ...numbers, ...loosened])}`.execute(database);
  await sql`create index llm_run_fact_request_uuid on llm_run_fact ((${requestMinute(sql`request_uuid`)}))
    where request_uuid is not null`.execute(database);
  for (const span of spans)
    await sql`alter table ${sql.table(`llm_rollup_${span}`)}
      ${sql.join(sparseSums.map((name) => sql`alter column ${sql.ref(name)} drop not null`))}`.execute(database);
}

/** The columns of the view before, with those by which runs are searched now. */
async function replaceView(database: Kysely<unknown>): Promise<void> {
  const own = [...dimensionNames, 'failed'].map((name) => sql`, ${sql.ref(`fact.${name}`)}`);
  const packed = sql`, fact.id as packed_id, fact.parent as packed_parent, fact.root as packed_root,
    ${shortOrLong('request_id')} as packed_request_id, fact.request_id as long_request_id, fact.request_uuid as request_uuid`;
  const columns = sql`${sql.join(own, sql` `)} ${packed}`;
  await sql`create or replace view llm_run_row as ${wideRuns('llm_run_fact', true, columns, shortOrLong)}`.execute(database);
}

/** 128 bits of the digest in base64. */
const digestOf = (labels: RawBuilder<unknown>): RawBuilder<unknown> =>
  sql`rtrim(encode(substr(sha256(convert_to(jsonb_build_array(${labels})::text, 'UTF8')), 1, 16), 'base64'), '=')`;

async function replaceFunctions(database: Kysely<unknown>): Promise<void> {
  const replace = async (name: string, body: RawBuilder<unknown>): Promise<void> => {
    await sql`create or replace function ${sql.ref(name)}() returns trigger language plpgsql as $body$ begin
      ${body}; return null; end $body$`.execute(database);
  };
  const fresh = wideRuns('fresh', true, sql``, shortOrLong);
  const run = sql`with run as materialized (${fresh})`;
  const attemptDigest = digestOf(attemptLabels);
  const form = { once: true, sparse: true };
  // One statement, so that the dimensions are joined once. It does not see series that it would insert itself.
  const statements = [
    ...spans.map((span) => insertRollup(span, sql`run`, true, form)),
    sql`${insertSums('run', dayCounts, true)} ${addToDay(dayCounts)}`,
    ...spendSpans.map((span) => addSpendOf('run', span, sql``, true, digestOf(spendLabels))),
  ];
  const parts = statements.map((statement, index) => sql`, ${sql.ref(`sum_${index}`)} as (${statement})`);
  await replace(
    'llm_run_fact_summed',
    sql`${run} ${insertSeries(sql`run`, true)}; ${run} ${sql.join(parts, sql` `)}
    ${addAttempts(singleAttempts(sql`from run where run.attempt_started_at is not null`), true, attemptDigest)}`,
  );
  const attempts = attemptsApart(sql`from fresh attempt join llm_run_row run on run.packed_id = attempt.run_key`);
  await replace('llm_attempt_of_fact', addAttempts(attempts, true, attemptDigest));
  const later = sql`from (${fresh} where ${beganLater('fact', shortOrLong('attempt_started_ms'))}) run`;
  await replace(
    'llm_run_fact_adjusted',
    sql`if exists (select 1 from fresh where ${beganLater('fresh', columnOf('fresh', 'attempt_started_ms'))}) then
      ${adjust(moved(later), true)}; end if`,
  );
  await replace(
    'llm_run_fact_teams',
    sql`if exists (select 1 from llm_team) then
      ${run} ${addToTeams(sql`run join llm_team team on team.tenant = run.tenant`, true)}; end if`,
  );
  // Runs of nodes before the narrow rows: null is 0 for them, too.
  const old = sql`fresh run`;
  await replace(
    'llm_run_rolled_up',
    sql.join([insertSeries(old, true), ...spans.map((span) => insertRollup(span, old, true, { sparse: true }))], sql`; `),
  );
}

export async function up(database: Kysely<unknown>): Promise<void> {
  if (!isPostgres(database)) return;
  await addColumns(database);
  await replaceView(database);
  await replaceFunctions(database);
}
