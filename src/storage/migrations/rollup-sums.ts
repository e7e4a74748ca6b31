/**
 * The statements that add runs to the roll-ups by hour and by day (UTC). A series is one combination of labels, and a roll-up has one row for
 * each series and span of time. Frozen with the migration that creates the tables: a change needs another migration.
 */
import { type RawBuilder, sql } from 'kysely';
import { largestCost, largestCount, possible } from './day-sums.ts';

export const rollupSpans = { hour: 3_600_000, day: 86_400_000 } as const;
export type RollupSpan = keyof typeof rollupSpans;

/** Upper bounds of the latency histograms in milliseconds. The last bucket of a histogram has no bound. */
export const latencyBounds = [50, 100, 200, 400, 800, 1_600, 3_200, 6_400, 12_800, 25_600, 51_200, 102_400, 204_800] as const;
const buckets = latencyBounds.length + 1;
const bucketsOf = (name: string): string[] => Array.from({ length: buckets }, (_bucket, index) => `${name}_${index}`);
export const durationBuckets = bucketsOf('duration');
export const firstTokenBuckets = bucketsOf('first_token');

/** The labels that make a series. Empty text for missing values. */
export const seriesKey = [
  'tenant',
  'issuer',
  'subject',
  'client',
  'key_id',
  'capability',
  'deployment',
  'provider',
  'skill',
  'error',
  'currency',
] as const;

const counts = [
  'input_tokens',
  'output_tokens',
  'cached_input_tokens',
  'cache_write_tokens',
  'reasoning_tokens',
  'cost',
  'cost_femto',
] as const;

/** The columns with sums. */
export const rollupSums = [
  'runs',
  'calls',
  'failed',
  'aborted',
  ...counts,
  'duration_ms',
  'first_token_ms',
  ...durationBuckets,
  ...firstTokenBuckets,
] as const;

const names = (list: readonly string[]): RawBuilder<unknown> => sql.join(list.map((name) => sql.ref(name)));
const column = (name: string): RawBuilder<unknown> => sql.ref(`run.${name}`);
const text = (name: string): RawBuilder<unknown> => sql`coalesce(${column(name)}, '')`;

function indexOf(value: RawBuilder<unknown>, character: string, postgres: boolean): RawBuilder<unknown> {
  return postgres ? sql`strpos(${value}, ${sql.lit(character)})` : sql`instr(${value}, ${sql.lit(character)})`;
}

/** Runs of older versions do not name the provider; their deployment is `model#provider/upstream model`. */
function providerOf(postgres: boolean): RawBuilder<unknown> {
  const rest = sql`substr(${column('deployment')}, ${indexOf(column('deployment'), '#', postgres)} + 1)`;
  return sql`case when ${column('provider')} is not null then ${column('provider')}
    when ${column('deployment')} is null then '' else substr(${rest}, 1, ${indexOf(rest, '/', postgres)} - 1) end`;
}

const skill = sql`case when ${column('via')} like 'skill/%' then substr(${column('via')}, 7)
  when ${column('capability')} like 'skill/%' then substr(${column('capability')}, 7) else '' end`;

/** The model that answered: after a fallback, the model of its deployment. */
export function modelOf(postgres: boolean): RawBuilder<unknown> {
  const mark = indexOf(sql.ref('deployment'), '#', postgres);
  return sql`case when ${mark} > 0 then substr(deployment, 1, ${mark} - 1) when capability like 'model/%' then substr(capability, 7) else '' end`;
}

export function labelsOf(postgres: boolean): Readonly<Record<(typeof seriesKey)[number], RawBuilder<unknown>>> {
  return {
    tenant: column('tenant'),
    issuer: text('issuer'),
    subject: column('subject'),
    client: text('client'),
    key_id: text('key_id'),
    capability: column('capability'),
    deployment: text('deployment'),
    provider: providerOf(postgres),
    skill,
    error: text('error'),
    currency: text('currency'),
  };
}

/** The time between two columns; null when unknown. Only complete runs have latencies: a quick failure is not a quick answer. */
export function elapsed(end: string, postgres: boolean): RawBuilder<unknown> {
  const known = sql`${possible(column(end), largestCost, postgres)} and ${possible(column('started_at'), largestCost, postgres)}`;
  const time = sql`${column(end)} - ${column('started_at')}`;
  return sql`case when ${column('outcome')} = 'complete' and ${known} then case when ${time} > 0 then ${time} else 0 end end`;
}

/** One row for each run of `source`, with its labels and values. */
function runsOf(source: RawBuilder<unknown>, postgres: boolean, team?: RawBuilder<unknown>): RawBuilder<unknown> {
  const labels = Object.entries(labelsOf(postgres)).map(([name, value]) => sql`${value} as ${sql.ref(name)}`);
  const values = counts.map((name) => {
    const most = name.startsWith('cost') ? largestCost : largestCount;
    return sql`case when ${possible(column(name), most, postgres)} then coalesce(${column(name)}, 0) else 0 end as ${sql.ref(name)}`;
  });
  if (team !== undefined) labels.push(sql`${team} as team`);
  return sql`select ${sql.join(labels)}, ${column('started_at')} as started_at, ${column('parent')} as parent, ${column('outcome')} as outcome,
    ${sql.join(values)}, ${elapsed('ended_at', postgres)} as duration_ms, ${elapsed('first_token_at', postgres)} as first_token_ms
    from ${source}`;
}

function histogram(value: string): RawBuilder<unknown>[] {
  return Array.from({ length: buckets }, (_bucket, index) => {
    const above = index === 0 ? sql`` : sql`and ${sql.ref(value)} > ${sql.lit(latencyBounds[index - 1] as number)}`;
    const upTo = index === buckets - 1 ? sql`` : sql`and ${sql.ref(value)} <= ${sql.lit(latencyBounds[index] as number)}`;
    return sql`sum(case when ${sql.ref(value)} is not null ${above} ${upTo} then 1 else 0 end)`;
  });
}

/** The values of `rollupSums` over rows with the columns of `runsOf`. */
export const totals: readonly RawBuilder<unknown>[] = [
  sql`count(*)`,
  sql`sum(case when parent is null then 1 else 0 end)`,
  sql`sum(case when outcome = 'error' then 1 else 0 end)`,
  sql`sum(case when outcome = 'aborted' then 1 else 0 end)`,
  ...counts.map((name) => sql`sum(${sql.ref(name)})`),
  sql`coalesce(sum(duration_ms), 0)`,
  sql`coalesce(sum(first_token_ms), 0)`,
  ...histogram('duration_ms'),
  ...histogram('first_token_ms'),
];

/** PostgreSQL limits the size of an index row, and labels are long: a series is found by a digest. */
const digest = sql`encode(sha256(convert_to(jsonb_build_array(${names(seriesKey)})::text, 'UTF8')), 'hex')`;

/** Adds the missing series. `source` is a table with the alias `run`, and may have conditions. */
export function insertSeries(source: RawBuilder<unknown>, postgres: boolean): RawBuilder<unknown> {
  const columns = [...seriesKey, 'model', ...(postgres ? ['digest'] : [])];
  const values = postgres ? sql`${names(seriesKey)}, ${modelOf(true)}, ${digest}` : sql`${names(seriesKey)}, ${modelOf(false)}`;
  const order = postgres ? sql`order by ${digest}` : sql``;
  return sql`insert into llm_rollup_series (${names(columns)}) select ${values} from (${runsOf(source, postgres)}) each_run
    group by ${names(seriesKey)} ${order} on conflict do nothing`;
}

/** Sums that are 0 in most rows. PostgreSQL stores null instead, which takes no space (migration 0072). */
export const sparseSums: readonly string[] = [
  'failed',
  'aborted',
  'cached_input_tokens',
  'cache_write_tokens',
  'reasoning_tokens',
  'cost',
  'cost_femto',
  'first_token_ms',
  ...durationBuckets,
  ...firstTokenBuckets,
];

/** How the rows of a roll-up are computed and stored. */
export interface RollupForm {
  /** The values of each run are computed once, instead of for every bucket of the histograms. */
  readonly once?: boolean;
  /** Null stands for 0 in `sparseSums`. */
  readonly sparse?: boolean;
  /** The id of a team in each row of the source: the runs are added to the roll-ups of teams (migration 0073). */
  readonly team?: RawBuilder<unknown>;
}

/** Adds the runs of `source` to the roll-up of one span. Ordered by key, so that two concurrent nodes lock rows in the same order. */
export function insertRollup(
  span: RollupSpan,
  source: RawBuilder<unknown>,
  postgres: boolean,
  { once = false, sparse = false, team }: RollupForm = {},
): RawBuilder<unknown> {
  const table = sql.table(`llm_${team === undefined ? '' : 'team_'}rollup_${span}`);
  const key = team === undefined ? ['tenant', 'start'] : ['tenant', 'start', 'team'];
  const ofTeam = team === undefined ? sql`` : sql`, team`;
  const length = sql.lit(rollupSpans[span]);
  const start = sql`started_at - started_at % ${length}`;
  const sums = totals.map((total, index) => sql`${total} as ${sql.ref(rollupSums[index] as string)}`);
  const found = postgres ? sql`, ${digest} as digest` : sql``;
  // The planner moves a subquery into its outer one, unless it is limited.
  const barrier = postgres ? sql`offset 0` : sql`limit -1`;
  const grouped = sql`select ${names(seriesKey)} ${found}, ${start} as start ${ofTeam}, ${sql.join(sums)}
    from (${runsOf(source, postgres, team)} ${once ? barrier : sql``}) each_run group by ${names(seriesKey)}, ${start} ${ofTeam}`;
  const isOfSeries = postgres
    ? sql`series.digest = added.digest`
    : sql.join(
        seriesKey.map((name) => sql`series.${sql.ref(name)} = added.${sql.ref(name)}`),
        sql` and `,
      );
  const isSparse = (name: string): boolean => sparse && sparseSums.includes(name);
  const adding = rollupSums.map((name) => {
    const [before, more] = [sql`${table}.${sql.ref(name)}`, sql`excluded.${sql.ref(name)}`];
    return sql`${sql.ref(name)} = ${isSparse(name) ? sql`nullif(coalesce(${before}, 0) + coalesce(${more}, 0), 0)` : sql`${before} + ${more}`}`;
  });
  const values = rollupSums.map((name) => {
    const value = sql.ref(`added.${name}`);
    return isSparse(name) ? sql`nullif(${value}, 0)` : value;
  });
  const place = sql`${sql.join(key.map((name) => sql.ref(`added.${name}`)))}, series.id`;
  return sql`insert into ${table} (${names([...key, 'series', ...rollupSums])})
    select ${place}, ${sql.join(values)}
    from (${grouped}) added join llm_rollup_series series on ${isOfSeries} where true order by ${place}
    on conflict (${names([...key, 'series'])}) do update set ${sql.join(adding)}`;
}
