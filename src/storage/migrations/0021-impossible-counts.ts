/** Sets impossible counts (beyond any model, negative, fractions) to unknown, in runs and in daily sums. */
import { type Kysely, type RawBuilder, sql } from 'kysely';
import {
  dayKeys,
  insertSums,
  isPostgres,
  keysOf,
  largestCost,
  largestCount,
  possible,
  replaceDayTrigger,
  sumColumns,
  tokenColumns,
} from './day-sums.ts';

const counts = [...tokenColumns, 'cost'] as const;
const mostOf = (column: string): number => (column === 'cost' ? largestCost : largestCount);
/** The largest sum of one day. */
const largestSum = 4_000_000_000_000_000_000;

type DayKey = Record<(typeof dayKeys)[number], string | number>;

export async function up(database: Kysely<unknown>): Promise<void> {
  const postgres = isPostgres(database);
  const wrong = (column: string, most: number): RawBuilder<boolean> => sql<boolean>`not ${possible(sql.ref(column), most, postgres)}`;
  const wrongIn = (columns: readonly string[], most: (column: string) => number): RawBuilder<boolean> =>
    sql<boolean>`(${sql.join(
      columns.map((column) => sql`(${sql.ref(column)} is not null and ${wrong(column, most(column))})`),
      sql` or `,
    )})`;

  const named = dayKeys.map((name, index) => sql`${keysOf('llm_run')[index]} as ${sql.ref(name)}`);
  const ofRuns = await sql<DayKey>`select distinct ${sql.join(named)} from llm_run where ${wrongIn(counts, mostOf)}`.execute(database);
  const ofDays = await sql<DayKey>`select ${sql.join(dayKeys.map((name) => sql.ref(name)))} from llm_usage_day
    where ${wrongIn(sumColumns(counts), () => largestSum)}`.execute(database);

  // Input and output belong together. A cost computed from invalid counts is invalid too.
  const main = ['input_tokens', 'output_tokens'];
  await sql`update llm_run set input_tokens = null, output_tokens = null, cached_input_tokens = null, reasoning_tokens = null, cost = null
    where ${wrongIn(main, mostOf)}`.execute(database);
  for (const column of ['cached_input_tokens', 'reasoning_tokens', 'cost'])
    await sql`update llm_run set ${sql.ref(column)} = null where ${wrongIn([column], mostOf)}`.execute(database);
  await replaceDayTrigger(database, counts);

  for (const key of [...ofRuns.rows, ...ofDays.rows]) {
    const isDay = sql.join(
      dayKeys.map((name) => sql`${sql.ref(`llm_usage_day.${name}`)} = ${key[name]}`),
      sql` and `,
    );
    // Deleted runs cannot be summed again, so their day keeps its valid sums.
    for (const column of sumColumns(counts))
      await sql`update llm_usage_day set ${sql.ref(column)} = 0 where ${isDay} and ${wrong(column, largestSum)}`.execute(database);
    const ofRun = sql.join(
      dayKeys.map((name, index) => sql`${keysOf('llm_run')[index]} = ${key[name]}`),
      sql` and `,
    );
    const { rows } = await sql`select 1 from llm_run where ${ofRun} limit 1`.execute(database);
    if (rows.length === 0) continue;
    await sql`delete from llm_usage_day where ${isDay}`.execute(database);
    await insertSums('llm_run', counts, postgres, sql`where ${ofRun}`).execute(database);
  }
}
