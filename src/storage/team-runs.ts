/**
 * The list of a team's runs. A team is a set of callers, and few runs of a tenant may be theirs: each caller's latest runs are found by their
 * index, and merged.
 */
import { sql } from 'kysely';
import type { Database } from './database.ts';
import { runColumns } from './migrations/run-facts.ts';
import { hasRole } from './run-filter.ts';
import { type RunQuery, runsPage } from './run-pages.ts';
import type { RunTable } from './schema.ts';

/** A team with more callers has so many runs that a walk over those of the tenant soon finds a page. */
const mostCallers = 200;

type Databases = Pick<Database, 'query' | 'kind'>;

/** The numbers of the callers with the role; null when there are too many. */
async function callersOf({ query }: Databases, role: string): Promise<readonly number[] | null> {
  const { rows } = await sql<{ id: number }>`select id from llm_run_caller where ${hasRole(role)} limit ${mostCallers + 1}`.execute(query);
  return rows.length > mostCallers ? null : rows.map(({ id }) => Number(id));
}

/** As `runsPage`, executed. Rejects with the driver's error. */
export async function teamPage(database: Databases, asked: RunQuery): Promise<readonly RunTable[]> {
  const { team, ...filter } = asked.filter;
  const callers = team === undefined || asked.owner !== null ? null : await callersOf(database, team.role);
  if (team === undefined || callers === null) return runsPage(database, asked).execute();
  const isPostgres = database.kind === 'postgres';
  const since = Math.max(team.since, filter.from ?? team.since);
  const ofCaller = runsPage(database, { ...asked, filter: { ...filter, from: since } })
    .clearSelect()
    .where(sql<boolean>`caller = one.${sql.ref(isPostgres ? 'member' : 'value')}`);
  const columns = sql.join(runColumns.map((name) => sql.ref(`run.${name}`)));
  const source = isPostgres
    ? sql`unnest(${callers}::integer[]) one (member) cross join lateral ${ofCaller.select([...runColumns, 'packed_id'])} run`
    : sql`json_each(${JSON.stringify(callers)}) one cross join llm_run_row run on run.fact_rowid in ${ofCaller.select(sql`fact_rowid`.as('fact_rowid'))}`;
  const { rows } = await sql<RunTable>`select ${columns} from ${source}
    order by run.started_at desc, run.packed_id desc limit ${asked.limit + 1}`.execute(database.query);
  return rows;
}
