/**
 * The roll-ups of each team by hour and by day, for time series. As in the daily sums of teams (migration 0071), a run counts for every
 * enabled team whose role its caller had. Only tenants with teams have rows. Runs before the migration are in none.
 */
import { type CreateTableBuilder, type Kysely, type RawBuilder, sql } from 'kysely';
import { addBatch, addTeamRollup } from './0067-sums-in-one-pass.ts';
import { countsForTeam } from './0071-team-days.ts';
import { isPostgres } from './day-sums.ts';
import { insertRollup, rollupSpans, type RollupSpan, rollupSums, sparseSums } from './rollup-sums.ts';
import { wideRuns } from './run-facts.ts';
import { shortOrLong } from './short-run-columns.ts';

const spans = Object.keys(rollupSpans) as RollupSpan[];
const team = sql.ref('team.id');

/** The teams for each tenant and list of roles in `callers`: a batch has few of them, so that each team is compared with a few texts. */
const teamsOf = (callers: RawBuilder<unknown>, postgres: boolean): RawBuilder<unknown> =>
  sql`(select run.tenant as tenant, run.roles as roles, team.id as id from ${callers} run
    join llm_team team on team.tenant = run.tenant where ${countsForTeam(postgres)})`;

async function createTables(database: Kysely<unknown>, postgres: boolean): Promise<void> {
  for (const span of spans) {
    const name = `llm_team_rollup_${span}`;
    let table: CreateTableBuilder<string, string> = database.schema
      .createTable(name)
      .addColumn('start', 'bigint', (start) => start.notNull());
    table = table.addColumn('series', 'bigint', (series) => series.notNull());
    for (const sum of rollupSums)
      table = table.addColumn(sum, /_\d+$/.test(sum) ? 'integer' : 'bigint', (each) => (sparseSums.includes(sum) ? each : each.notNull()));
    for (const label of ['tenant', 'team']) table = table.addColumn(label, 'text', (column) => column.notNull());
    table = table.addPrimaryKeyConstraint(`${name}_key`, ['tenant', 'start', 'team', 'series'] as never);
    await table.modifyEnd(postgres ? sql`with (fillfactor = 90)` : sql`without rowid`).execute();
  }
}

export async function up(database: Kysely<unknown>): Promise<void> {
  const postgres = isPostgres(database);
  await createTables(database, postgres);
  if (!postgres) {
    const teams = teamsOf(sql`(select distinct tenant, roles from llm_batch_sum)`, false);
    await sql`drop trigger llm_run_fact_batch_added`.execute(database);
    await sql`create trigger llm_run_fact_batch_added instead of insert on llm_run_fact_batch begin
      ${addBatch(
        sql`llm_run_row run where run.fact_rowid > new.after_rowid`,
        spans.map((span) => addTeamRollup(span, teams)),
      )}; end`.execute(database);
    return;
  }
  const source = sql`run join teams team on team.tenant = run.tenant and team.roles = run.roles`;
  const [hour, day] = spans.map((span) => insertRollup(span, source, true, { once: true, sparse: true, team }));
  // Triggers run in the order of their names: the series are there after `llm_run_fact_summed`.
  await sql`create or replace function llm_run_fact_team_rollups() returns trigger language plpgsql as $body$ begin
    if exists (select 1 from llm_team) then
      with run as materialized (${wideRuns('fresh', true, sql``, shortOrLong)}),
        teams as materialized (select * from ${teamsOf(sql`(select distinct tenant, roles from run)`, true)} every_team),
        by_hour as (${hour}) ${day};
    end if; return null; end $body$`.execute(database);
  await sql`create trigger llm_run_fact_team_rollups after insert on llm_run_fact referencing new table as fresh
    for each statement execute function llm_run_fact_team_rollups()`.execute(database);
}
