/**
 * Time series and totals of runs, from the roll-ups alone: their cost does not depend on the number of runs. Tokens and money by deployment or
 * provider are those of attempts, as vendors bill them.
 */
import { type RawBuilder, sql } from 'kysely';
import { amountNumber } from '../types/money.ts';
import type { PersonId } from '../types/person.ts';
import type { Database } from './database.ts';
import { type Latency, latencyOf } from './latency.ts';
import { adjustedSums } from './migrations/0070-adjusted-rollups.ts';
import { durationBuckets, firstTokenBuckets, rollupSpans, rollupSums, type RollupSpan } from './migrations/rollup-sums.ts';
import { withStorageErrors } from './storage-errors.ts';
import { storedNumber, storedSumOfAmounts } from './stored-counts.ts';

export const seriesDimensions = [
  'model',
  'deployment',
  'provider',
  'user',
  'client',
  'key',
  'skill',
  'capability',
  'error',
  'team',
] as const;
export type SeriesDimension = (typeof seriesDimensions)[number];
export type SeriesLabels = Readonly<Partial<Record<SeriesDimension, string | null>>>;

export interface SeriesQuery {
  readonly tenant: string;
  /** Null for all people. */
  readonly person: PersonId | null;
  /** Only runs of the team with this id; null for all runs. */
  readonly team?: string | null;
  /** Epoch milliseconds, full spans of `step`; `to` is exclusive. */
  readonly from: number;
  readonly to: number;
  readonly step: RollupSpan;
  readonly by: readonly SeriesDimension[];
  /** Only runs with these labels. */
  readonly only: Readonly<Partial<Record<Exclude<SeriesDimension, 'user' | 'team'>, string | undefined>>>;
  /** The number of series with the most runs. The others are summed into one with `other`. */
  readonly top: number;
}

/** Sums of one point or one series. Latencies are those of complete runs; tokens and money by deployment or provider those of attempts. */
export interface Measures {
  readonly runs: number;
  readonly calls: number;
  readonly failed: number;
  readonly aborted: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cached_input_tokens: number;
  readonly cache_write_tokens: number;
  readonly reasoning_tokens: number;
  /** An amount for each currency. */
  readonly cost: Readonly<Record<string, number>>;
  readonly duration: Latency;
  readonly first_token: Latency;
}

export interface Series {
  /** A text or null for each requested dimension; a user as `personRef`, a team by its id. Null for the sum of the other series. */
  readonly of: SeriesLabels | null;
  readonly total: Measures;
  /** In order of time, without points that have no runs. */
  readonly points: readonly (Measures & { readonly start: number })[];
}

export interface RollupReader {
  /** Rejects with `storage_unavailable`. */
  series(query: SeriesQuery): Promise<{ total: Measures; series: readonly Series[] }>;
}

/** Rows read in one statement: more would hold the event loop. */
const pointsAtOnce = 400;

const columns: Readonly<Record<SeriesDimension, RawBuilder<unknown>>> = {
  model: sql`series.model`,
  deployment: sql`series.deployment`,
  provider: sql`series.provider`,
  user: sql`case when series.issuer = '' then series.subject else series.issuer || '#' || series.subject end`,
  client: sql`series.client`,
  key: sql`series.key_id`,
  skill: sql`series.skill`,
  capability: sql`series.capability`,
  error: sql`series.error`,
  team: sql`rollup.team`,
};

type Row = Readonly<Record<string, unknown>>;

/** The sums that are numbers. Money is exact, and one sum for each currency. */
const numberNames = rollupSums.filter((name) => name !== 'cost' && name !== 'cost_femto');
const indexOf = (name: string): number => numberNames.indexOf(name);
const [durations, firstTokens] = [durationBuckets.map(indexOf), firstTokenBuckets.map(indexOf)];

/** The values of a row, read once for all sums that it is part of. */
interface Values {
  readonly numbers: Float64Array;
  readonly currency: string;
  readonly cost: bigint;
}

function valuesOf(row: Row): Values {
  const currency = String(row['currency']);
  const cost = currency === '' ? 0n : storedSumOfAmounts(row['cost'], row['cost_femto']);
  return { numbers: Float64Array.from(numberNames, (name) => storedNumber(row[name])), currency, cost };
}

class Sums {
  readonly #numbers = new Float64Array(numberNames.length);
  readonly #costs = new Map<string, bigint>();

  add({ numbers, currency, cost }: Values): void {
    for (let index = 0; index < numbers.length; index++) this.#numbers[index] = (this.#numbers[index] ?? 0) + (numbers[index] ?? 0);
    if (currency !== '') this.#costs.set(currency, (this.#costs.get(currency) ?? 0n) + cost);
  }

  measures(): Measures {
    const at = (index: number): number => this.#numbers[index] ?? 0;
    const number = (name: string): number => at(indexOf(name));
    return {
      runs: number('runs'),
      calls: number('calls'),
      failed: number('failed'),
      aborted: number('aborted'),
      input_tokens: number('input_tokens'),
      output_tokens: number('output_tokens'),
      cached_input_tokens: number('cached_input_tokens'),
      cache_write_tokens: number('cache_write_tokens'),
      reasoning_tokens: number('reasoning_tokens'),
      cost: Object.fromEntries([...this.#costs].map(([currency, cost]) => [currency, amountNumber(cost)])),
      duration: latencyOf(durations.map(at), number('duration_ms')),
      first_token: latencyOf(firstTokens.map(at), number('first_token_ms')),
    };
  }
}

function conditions({ tenant, person, only }: SeriesQuery): RawBuilder<unknown> {
  const all = [sql`series.tenant = ${tenant}`];
  if (person !== null) all.push(sql`series.issuer = ${person.issuer}`, sql`series.subject = ${person.subject}`);
  for (const [dimension, value] of Object.entries(only))
    if (value !== undefined) all.push(sql`${columns[dimension as SeriesDimension]} = ${value}`);
  return sql.join(all, sql` and `);
}

const amountNames: readonly string[] = adjustedSums;

/** True when tokens and money are those of attempts. */
const isOfAttempts = ({ by, only }: SeriesQuery): boolean =>
  by.includes('deployment') || by.includes('provider') || only.deployment !== undefined || only.provider !== undefined;

/** True when the rows are those of teams. They have no adjustments, because attempts are not counted by team. */
const isOfTeams = ({ by, team }: SeriesQuery): boolean => by.includes('team') || typeof team === 'string';

/** The rows of a tenant and a time: those of runs or of teams, and their adjustments where the amounts are those of attempts. */
function rowsOf(query: SeriesQuery, from: number, to: number): RawBuilder<unknown> {
  const where = sql`where tenant = ${query.tenant} and start >= ${from} and start < ${to}`;
  const list = (sums: readonly RawBuilder<unknown>[]): RawBuilder<unknown> => sql.join([sql`tenant`, sql`start`, sql`series`, ...sums]);
  const sums = rollupSums.map((name) => sql.ref(name));
  if (isOfTeams(query)) {
    const ofTeam = typeof query.team === 'string' ? sql`and team = ${query.team}` : sql``;
    return sql`select ${list([sql`team`, ...sums])} from ${sql.table(`llm_team_rollup_${query.step}`)} ${where} ${ofTeam}`;
  }
  const table = `llm_rollup_${query.step}`;
  const runs = sql`select ${list(sums)} from ${sql.table(table)} ${where}`;
  if (!isOfAttempts(query)) return runs;
  const changes = rollupSums.map((name) => (amountNames.includes(name) ? sql.ref(name) : sql`0`));
  return sql`${runs} union all select ${list(changes)} from ${sql.table(`${table}_adjustment`)} ${where}`;
}

/** No attempt lacks a deployment, so that a run without one has used nothing there. */
function amountOf(query: SeriesQuery, name: string): RawBuilder<unknown> {
  const amount = sql.ref(`rollup.${name}`);
  return isOfAttempts(query) && amountNames.includes(name) ? sql`case when series.deployment = '' then 0 else ${amount} end` : amount;
}

/** The runs of each series in the whole time, so that labels are read once for each series. */
function bySeries(query: SeriesQuery): RawBuilder<unknown> {
  const key = sql.join((isOfTeams(query) ? ['series', 'team'] : ['series']).map((name) => sql.ref(name)));
  return sql`select ${key}, sum(runs) as runs from (${rowsOf(query, query.from, query.to)}) spans group by ${key}`;
}

export function createRollupReader(database: Database): RollupReader {
  /** The labels of the series with the most runs. One more than asked for shows that there are others. */
  const largest = async (query: SeriesQuery): Promise<readonly string[][]> => {
    const labels = query.by.map((dimension) => columns[dimension]);
    const named = labels.map((label, index) => sql`${label} as ${sql.ref(`of_${index}`)}`);
    const { rows } = await sql<Row>`select ${sql.join([...named, sql`sum(runs) as runs`])}
      from (${bySeries(query)}) rollup join llm_rollup_series series on series.id = rollup.series
      where ${conditions(query)}
      group by ${sql.join(labels)} order by sum(runs) desc, ${sql.join(labels)} limit ${query.top + 1}`.execute(database.query);
    return rows.map((row) => labels.map((_label, index) => String(row[`of_${index}`])));
  };

  /** The number of the series in `kept` for each row; the others have the number behind the last. */
  const place = (query: SeriesQuery, kept: readonly string[][]): RawBuilder<unknown> => {
    if (query.by.length === 0 || kept.length === 0) return sql`0`;
    const cases = kept.map((values, index) => {
      const same = values.map((value, position) => sql`${columns[query.by[position] as SeriesDimension]} = ${value}`);
      return sql`when ${sql.join(same, sql` and `)} then ${sql.lit(index)}`;
    });
    return sql`case ${sql.join(cases, sql` `)} else ${sql.lit(kept.length)} end`;
  };

  return {
    series: (query) =>
      withStorageErrors(database, async () => {
        const found = query.by.length === 0 ? [[]] : await largest(query);
        const kept = found.slice(0, query.top);
        const total = new Sums();
        const totals = Array.from({ length: found.length }, () => new Sums());
        const points = Array.from({ length: found.length }, (): (Measures & { start: number })[] => []);
        const length = rollupSpans[query.step];
        const atOnce = Math.max(1, Math.floor(pointsAtOnce / Math.max(1, found.length))) * length;
        // A series has its place by its own labels, so that PostgreSQL compares texts once for each series. A team is a label of the sums
        // themselves. SQLite would make no index of these series, and read all of them for each sum.
        const isPlaced = database.kind === 'postgres' && !query.by.includes('team');
        const places = place(query, kept);
        const placed = sql`with placed as materialized (select series.*, ${places} as place
          from llm_rollup_series series where ${conditions(query)})`;
        const sums = sql.join(rollupSums.map((name) => sql`sum(${amountOf(query, name)}) as ${sql.ref(name)}`));
        for (let from = query.from; from < query.to && found.length > 0; from += atOnce) {
          const { rows } =
            await sql<Row>`${isPlaced ? placed : sql``} select * from (select ${isPlaced ? sql`series.place` : places} as place, rollup.start as start, series.currency as currency, ${sums}
            from (${rowsOf(query, from, Math.min(query.to, from + atOnce))}) rollup join ${sql.table(isPlaced ? 'placed' : 'llm_rollup_series')} series on series.id = rollup.series
            ${isPlaced ? sql`` : sql`where ${conditions(query)}`}
            group by 1, 2, 3) points order by place, start`.execute(database.query);
          // A point has a row for each currency.
          for (const [, ofPoint] of Map.groupBy(rows, (row) => `${String(row['place'])} ${String(row['start'])}`)) {
            const sum = new Sums();
            const index = Number(ofPoint[0]?.['place']);
            const ofSeries = totals[index];
            // A series whose first run came after the labels were read.
            if (ofSeries === undefined) continue;
            for (const values of ofPoint.map(valuesOf)) for (const each of [total, ofSeries, sum]) each.add(values);
            points[index]?.push({ start: Number(ofPoint[0]?.['start']), ...sum.measures() });
          }
        }
        return {
          total: total.measures(),
          series: found.map((values, index) => ({
            of: index === query.top ? null : Object.fromEntries(query.by.map((name, position) => [name, values[position] || null])),
            total: (totals[index] as Sums).measures(),
            points: points[index] ?? [],
          })),
        };
      }),
  };
}
