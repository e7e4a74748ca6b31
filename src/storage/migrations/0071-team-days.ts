/**
 * The daily sums of each team. A run counts for every enabled team whose role its caller had, as for the
 * limits of teams. The sums name the id of the team, so that another one of its name, or of its role, does not have them.
 */
import { type CreateTableBuilder, type Kysely, sql } from 'kysely';
import { dayCounts } from './0022-decimal-amounts.ts';
import { dayKeys, isPostgres, keysOf, sumColumns, sumsOf } from './day-sums.ts';
import { wideRuns } from './run-facts.ts';

const keys = [...dayKeys, 'team'] as const;
const sums = sumColumns(dayCounts);
const names = (list: readonly string[]) => sql.join(list.map((name) => sql.ref(name)));

async function createSums(database: Kysely<unknown>): Promise<void> {
  let table: CreateTableBuilder<string, string> = database.schema
    .createTable('llm_team_day')
    .addColumn('day', 'integer', (column) => column.notNull());
  for (const name of keys) if (name !== 'day') table = table.addColumn(name, 'text', (column) => column.notNull());
  for (const name of sums) table = table.addColumn(name, 'bigint', (column) => column.notNull());
  // With the team and the day first, as reports ask.
  await table.addPrimaryKeyConstraint('llm_team_day_key', ['tenant', 'team', ...dayKeys.slice(1)] as never).execute();
}

/** True for a row `team` and a row `run` whose caller had its role. Roles are separated by spaces; those within a role are stored as no-break spaces. */
export function countsForTeam(postgres: boolean) {
  const role = postgres
    ? sql`replace(team.spec::json->>'role', ' ', chr(160))`
    : sql`replace(json_extract(team.spec, '$.role'), ' ', char(160))`;
  const [roles, searched] = [sql`' ' || run.roles || ' '`, sql`' ' || ${role} || ' '`];
  const holds = postgres ? sql`strpos(${roles}, ${searched})` : sql`instr(${roles}, ${searched})`;
  return sql`team.enabled = 1 and ${holds} > 0`;
}

/** Adds the runs of `source`, which has the alias `run`. */
export function addToTeams(source: ReturnType<typeof sql>, postgres: boolean) {
  const groups = [...keysOf('run'), sql.ref('team.id')];
  const totals = sumsOf('run', dayCounts, postgres).map((each) => sql`sum(${each})`);
  const adding = sums.map((name) => sql`${sql.ref(name)} = llm_team_day.${sql.ref(name)} + excluded.${sql.ref(name)}`);
  return sql`insert into llm_team_day (${names([...keys, ...sums])}) select ${sql.join([...groups, ...totals])}
    from ${source} where ${countsForTeam(postgres)} group by ${sql.join(groups)} order by ${sql.join(groups)}
    on conflict (${names(keys)}) do update set ${sql.join(adding)}`;
}

export async function up(database: Kysely<unknown>): Promise<void> {
  const postgres = isPostgres(database);
  await createSums(database);
  if (!postgres) {
    await sql`create trigger llm_run_fact_batch_teams instead of insert on llm_run_fact_batch
      when exists (select 1 from llm_team) begin
      ${addToTeams(sql`llm_team team cross join llm_run_row run on run.tenant = team.tenant and run.fact_rowid > new.after_rowid`, false)}; end`.execute(
      database,
    );
    return;
  }
  await sql`create or replace function llm_run_fact_teams() returns trigger language plpgsql as $body$ begin
    if exists (select 1 from llm_team) then
      with run as materialized (${wideRuns('fresh', true)}) ${addToTeams(sql`run join llm_team team on team.tenant = run.tenant`, true)};
    end if; return null; end $body$`.execute(database);
  await sql`create trigger llm_run_fact_teams after insert on llm_run_fact referencing new table as fresh
    for each statement execute function llm_run_fact_teams()`.execute(database);
}
