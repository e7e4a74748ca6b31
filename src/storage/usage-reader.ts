/**
 * Usage reports: sums over days, grouped by the requested dimensions. Tokens and money are those of runs. By deployment or provider they are
 * those of attempts, as vendors bill them, and the counts of runs stay with the deployment that answered.
 */
import { type RawBuilder, sql } from 'kysely';
import { GatewayError } from '../types/errors.ts';
import { amountNumber } from '../types/money.ts';
import type { PersonId } from '../types/person.ts';
import type { Database } from './database.ts';
import { rowsInParts } from './rows-in-parts.ts';
import { storedCount, storedSum, storedSumOfAmounts, summable } from './stored-counts.ts';

/** The dimensions of a report. */
export const usageDimensions = ['day', 'user', 'client', 'key', 'model', 'skill', 'capability', 'deployment', 'provider', 'team'] as const;
export type UsageDimension = (typeof usageDimensions)[number];

export interface UsageQuery {
  readonly tenant: string;
  /** Null for all people. */
  readonly person: PersonId | null;
  /** Only runs of the team with this id; null for all runs. */
  readonly team?: string | null;
  /** Days since 1970 UTC; `to` is exclusive. */
  readonly from: number;
  readonly to: number;
  readonly by: readonly UsageDimension[];
  /** The `next` of the previous page of the same report; null for the first. */
  readonly after: string | null;
  /** The number of lines of a page. */
  readonly limit: number;
}

export interface UsagePage {
  readonly lines: readonly UsageLine[];
  /** Null on the last page. */
  readonly next: string | null;
}

/** One row: a text or null for each requested dimension (a user as `personRef`, a team by its id), and the sums. `cost` is an amount of `currency`, rounded only here; null when there is none. */
export interface UsageLine {
  readonly of: Readonly<Partial<Record<UsageDimension, string | null>>>;
  readonly currency: string | null;
  /** In reports by deployment or provider. */
  readonly attempts?: number;
  readonly calls: number;
  readonly runs: number;
  readonly failed: number;
  readonly aborted: number;
  readonly estimated: number;
  readonly unpriced: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cached_input_tokens: number;
  readonly cache_write_tokens: number;
  readonly reasoning_tokens: number;
  readonly pictures: number;
  readonly milliseconds: number;
  readonly characters: number;
  readonly pages: number;
  readonly searches: number;
  readonly cost: number;
}

export interface UsageReader {
  /** In order of the dimensions and the currency. Rejects with `storage_unavailable`, and with `invalid_request` for an unknown `after`. */
  report(query: UsageQuery): Promise<UsagePage>;
  /**
   * All lines of a report in that order, in parts of at most `limit`. Each sum is read once, however many lines there are. Take the parts at once where
   * the first dimension is not the day: on PostgreSQL they hold a transaction. Rejects as `report` does.
   */
  all(query: Omit<UsageQuery, 'after'>): AsyncGenerator<readonly UsageLine[]>;
}

type Row = Record<string, string | number | bigint>;

const columns = {
  day: sql`day`,
  user: sql`case when issuer = '' then subject else issuer || '#' || subject end`,
  client: sql`client`,
  key: sql`key_id`,
  skill: sql`case when via like 'skill/%' then substr(via, 7) when capability like 'skill/%' then substr(capability, 7) else '' end`,
  capability: sql`capability`,
  deployment: sql`deployment`,
  provider: sql`provider`,
  team: sql`team`,
};

const ofRuns = ['calls', 'runs', 'failed', 'aborted'] as const;
const amounts = [
  'estimated',
  'unpriced',
  'input_tokens',
  'output_tokens',
  'cached_input_tokens',
  'cache_write_tokens',
  'reasoning_tokens',
  'pictures',
  'milliseconds',
  'characters',
  'pages',
  'searches',
] as const;
const sums = [...ofRuns, ...amounts] as const;
const labels = ['tenant', 'day', 'issuer', 'subject', 'client', 'key_id', 'capability', 'via', 'deployment', 'currency'] as const;

const names = (list: readonly string[]): RawBuilder<unknown> => sql.join(list.map((name) => sql.ref(name)));
const zeros = (list: readonly string[]): RawBuilder<unknown> => sql.join(list.map((name) => sql`0 as ${sql.ref(name)}`));

/** The days of a report by deployment or provider: a row has either the counts of runs or the amounts of attempts. */
function attemptDays(where: RawBuilder<unknown>, provider: RawBuilder<unknown>): RawBuilder<unknown> {
  const money = ['cost', 'cost_femto'];
  return sql`(select ${names(labels)}, ${provider} as provider, ${names(ofRuns)}, 0 as attempts, ${zeros([...amounts, ...money])}
      from llm_usage_day where ${where}
    union all select ${names(labels)}, provider, ${zeros(ofRuns)}, attempts, ${names([...amounts, ...money])}
      from llm_attempt_day where ${where}) days`;
}

/** A report whose first dimension is the day reads so many days at once, and none behind its page. After days with few lines it reads twice as many. */
const daysAtOnce = 7;

export function createUsageReader(database: Database): UsageReader {
  // The model is the one that answered: after a fallback, the model of its deployment. The databases have different functions for the position of a character.
  const position = (value: RawBuilder<unknown>, text: string): RawBuilder<unknown> =>
    database.kind === 'postgres' ? sql`strpos(${value}, ${sql.lit(text)})` : sql`instr(${value}, ${sql.lit(text)})`;
  const mark = position(sql`deployment`, '#');
  const rest = sql`substr(deployment, ${mark} + 1)`;
  const provider = sql`case when ${mark} > 0 then substr(${rest}, 1, ${position(rest, '/')} - 1) else '' end`;
  const own: Readonly<Record<UsageDimension, ReturnType<typeof sql>>> = {
    ...columns,
    model: sql`case when ${mark} > 0 then substr(deployment, 1, ${mark} - 1) when capability like 'model/%' then substr(capability, 7) else '' end`,
  };
  type Part = Omit<UsageQuery, 'after' | 'limit'> & { readonly beyond: readonly (string | number)[] | null };
  const statementOf = ({ tenant, person, team = null, from, to, by, beyond }: Part): RawBuilder<Row> => {
    const split = by.map((dimension) => own[dimension]);
    const groups = [...split, sql`currency`];
    const named = by.map((dimension) => sql`${own[dimension]} as ${sql.ref(`of_${dimension}`)}`);
    const isOfAttempts = by.includes('deployment') || by.includes('provider');
    const totals = [...(isOfAttempts ? ['attempts'] : []), ...sums, 'cost', 'cost_femto'].map(
      (column) => sql`sum(${summable(database, sql.ref(column))}) as ${sql.ref(column)}`,
    );
    const later = beyond === null ? sql`` : sql` and (${sql.join(groups)}) > (${sql.join(beyond)})`;
    const who = person === null ? sql`` : sql` and issuer = ${person.issuer} and subject = ${person.subject}`;
    const ofTeam = team === null ? sql`` : sql` and team = ${team}`;
    const where = sql`tenant = ${tenant} and day >= ${from} and day < ${to}${who}${ofTeam}`;
    // A run counts for each team of its caller, so the sums of teams lie apart from those of all runs.
    const isOfTeams = team !== null || by.includes('team');
    const source = isOfTeams ? sql`llm_team_day` : isOfAttempts ? attemptDays(where, provider) : sql`llm_usage_day`;
    return sql<Row>`select ${sql.join([...named, sql`currency`, ...totals])} from ${source} where ${where}${later}
      group by ${sql.join(groups)} order by ${sql.join(groups)}`;
  };
  const linesOf = async ({ limit, ...part }: Part & { readonly limit: number }): Promise<readonly Row[]> =>
    (await sql<Row>`${statementOf(part)} limit ${limit}`.execute(database.query)).rows;

  const reader: UsageReader = {
    async report({ after, limit, ...query }) {
      const beyond = after === null ? null : positionOf(after, query.by);
      const isByDay = query.by[0] === 'day';
      try {
        const rows: Row[] = [];
        let days = daysAtOnce;
        let first = isByDay && beyond !== null ? Math.max(query.from, Number(beyond[0])) : query.from;
        while (first < query.to && rows.length <= limit) {
          const to = isByDay ? Math.min(query.to, first + days) : query.to;
          const read = await linesOf({ ...query, from: first, to, beyond, limit: limit + 1 - rows.length });
          rows.push(...read);
          if (read.length < limit / 4) days *= 2;
          first = to;
        }
        const page = rows.slice(0, limit);
        const last = page.at(-1);
        const next = rows.length > limit && last !== undefined ? keyOf(last, query.by) : null;
        return { lines: page.map((row) => lineOf(row, query.by)), next };
      } catch (thrown) {
        throw database.explain(thrown);
      }
    },
    async *all({ limit, ...query }) {
      if (query.by[0] === 'day') {
        for (let after: string | null = null; ;) {
          const page: UsagePage = await reader.report({ ...query, after, limit });
          yield page.lines;
          if (page.next === null) return;
          after = page.next;
        }
      }
      try {
        for await (const rows of rowsInParts(database, statementOf({ ...query, beyond: null }), limit))
          yield rows.map((row) => lineOf(row, query.by));
      } catch (thrown) {
        throw database.explain(thrown);
      }
    },
  };
  return reader;
}

/** The values of the groups of a line. */
function keyOf(row: Row, by: readonly UsageDimension[]): string {
  const values = [...by.map((dimension) => row[`of_${dimension}`]), row['currency']].map((value) =>
    typeof value === 'bigint' ? Number(value) : value,
  );
  return Buffer.from(JSON.stringify(values)).toString('base64url');
}

function positionOf(after: string, by: readonly UsageDimension[]): readonly (string | number)[] {
  let values: unknown = null;
  try {
    values = JSON.parse(Buffer.from(after, 'base64url').toString());
  } catch {
    // Refused below.
  }
  const isOfGroup = (value: unknown, index: number): value is string | number =>
    by[index] === 'day' ? Number.isSafeInteger(value) : typeof value === 'string';
  if (Array.isArray(values) && values.length === by.length + 1 && values.every(isOfGroup)) return values;
  throw new GatewayError('invalid_request', '`after` must be the `next` of the previous page of the same report.', { param: 'after' });
}

function lineOf(row: Row, by: readonly UsageDimension[]): UsageLine {
  const text = (dimension: UsageDimension): string | null => {
    const value = row[`of_${dimension}`] ?? '';
    if (dimension === 'day') {
      const day = storedCount(value, 100_000_000);
      return day === null ? null : new Date(day * 86_400_000).toISOString().slice(0, 10);
    }
    return value === '' ? null : String(value);
  };
  const numbers = Object.fromEntries(sums.map((column) => [column, Number(storedSum(row[column]))])) as Record<
    (typeof sums)[number],
    number
  >;
  return {
    of: Object.fromEntries(by.map((dimension) => [dimension, text(dimension)])),
    currency: row['currency'] === '' ? null : String(row['currency']),
    ...(row['attempts'] === undefined ? {} : { attempts: Number(storedSum(row['attempts'])) }),
    ...numbers,
    cost: amountNumber(storedSumOfAmounts(row['cost'], row['cost_femto'])),
  };
}
