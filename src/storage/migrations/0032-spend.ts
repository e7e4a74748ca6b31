/**
 * Spend of budgets, summed by quarter hour and by day (UTC) of the start of a run. Updated by a database trigger for each inserted run, so
 * that no budget reads the ledger, and old runs can be deleted. Every time zone begins its days at a full quarter of an hour.
 */
import { type Kysely, type RawBuilder, sql } from 'kysely';
import { isPostgres, largestCost, possible } from './day-sums.ts';

const spans = { quarter: 900_000, day: 86_400_000 } as const;
type Span = keyof typeof spans;
export const spendSpans = Object.keys(spans) as Span[];

/** Quarter hours are read for the first day of a period only, and no period but `total` is longer than a month. */
const keptQuartersMs = 40 * 86_400_000;

const columns = ['tenant', 'span', 'start', 'issuer', 'subject', 'client', 'key_id', 'roles', 'model', 'currency'] as const;
const names = (list: readonly string[]) => sql.join(list.map((name) => sql.ref(name)));

/** The model that answered: after a fallback, the model of its deployment. */
function modelOf(source: string, postgres: boolean): RawBuilder<unknown> {
  const deployment = sql.ref(`${source}.deployment`);
  const mark = postgres ? sql`strpos(${deployment}, '#')` : sql`instr(${deployment}, '#')`;
  return sql`case when ${mark} > 0 then substr(${deployment}, 1, ${mark} - 1) else substr(${sql.ref(`${source}.capability`)}, 7) end`;
}

function keysOf(source: string, span: Span, postgres: boolean): RawBuilder<unknown>[] {
  const run = (column: string) => sql.ref(`${source}.${column}`);
  const length = sql.lit(spans[span]);
  return [
    run('tenant'),
    sql`${sql.lit(span)}`,
    sql`${run('started_at')} - ${run('started_at')} % ${length}`,
    sql`coalesce(${run('issuer')}, '')`,
    run('subject'),
    sql`coalesce(${run('client')}, '')`,
    sql`coalesce(${run('key_id')}, '')`,
    run('roles'),
    modelOf(source, postgres),
    run('currency'),
  ];
}

/** True for a run whose cost a budget counts. */
export function countsForBudgets(source: string, postgres: boolean): RawBuilder<unknown> {
  const run = (column: string) => sql.ref(`${source}.${column}`);
  return sql`${run('currency')} is not null and coalesce(${run('unbudgeted')}, 0) = 0
    and ${run('cost')} is not null and ${possible(run('cost'), largestCost, postgres)}
    and (${run('cost')} > 0 or coalesce(${run('cost_femto')}, 0) > 0)`;
}

function femtoOf(source: string, postgres: boolean): RawBuilder<unknown> {
  const femto = sql.ref(`${source}.cost_femto`);
  return sql`case when ${possible(femto, largestCost, postgres)} then coalesce(${femto}, 0) else 0 end`;
}

/** PostgreSQL limits the size of an index row, and roles are long: their rows are found by a digest of these labels. */
export const spendLabels = sql`issuer, subject, client, key_id, roles, model, currency`;
const wholeDigest = sql`encode(sha256(convert_to(jsonb_build_array(${spendLabels})::text, 'UTF8')), 'hex')`;

/** The sums of all runs in `source`, ordered by key, so that two concurrent nodes lock rows in the same order. */
function insertSums(
  source: string,
  span: Span,
  postgres: boolean,
  where: RawBuilder<unknown> = sql``,
  digest = wholeDigest,
): RawBuilder<unknown> {
  const keys = keysOf(source, span, postgres).map((key, index) => sql`${key} as ${sql.ref(columns[index] as string)}`);
  const cost = sql.ref(`${source}.cost`);
  const grouped = sql`select ${sql.join(keys)}, ${cost} as cost, ${femtoOf(source, postgres)} as cost_femto
    from ${sql.ref(source)} where ${countsForBudgets(source, postgres)} ${where}`;
  const added = postgres ? ['cost', 'cost_femto', 'digest'] : ['cost', 'cost_femto'];
  const totals = postgres ? sql`sum(cost), sum(cost_femto), ${digest}` : sql`sum(cost), sum(cost_femto)`;
  const order = postgres ? sql`tenant, start, ${digest}` : names(columns);
  return sql`insert into llm_spend (${names([...columns, ...added])}) select ${names(columns)}, ${totals}
    from (${grouped}) each_run group by ${names(columns)} order by ${order}`;
}

function conflict(postgres: boolean): RawBuilder<unknown> {
  const key = postgres ? ['tenant', 'span', 'start', 'digest'] : columns;
  return sql`on conflict (${names(key)}) do update
    set cost = llm_spend.cost + excluded.cost, cost_femto = llm_spend.cost_femto + excluded.cost_femto`;
}

/** Adds the runs of `source` to their quarter hours, or to their days. */
export function addSpendOf(
  source: string,
  span: Span,
  where: RawBuilder<unknown>,
  postgres: boolean,
  digest = wholeDigest,
): RawBuilder<unknown> {
  return sql`${insertSums(source, span, postgres, where, digest)} ${conflict(postgres)}`;
}

/** Adds the runs of `source` to their quarter hours and days. */
export function addSpend(source: string, where: RawBuilder<unknown>, postgres: boolean): RawBuilder<unknown> {
  return sql`${addSpendOf(source, 'quarter', where, postgres)}; ${addSpendOf(source, 'day', where, postgres)}`;
}

async function createTable(database: Kysely<unknown>, postgres: boolean): Promise<void> {
  let table = database.schema.createTable('llm_spend');
  for (const column of columns) table = table.addColumn(column, column === 'start' ? 'bigint' : 'text', (each) => each.notNull());
  if (postgres) table = table.addColumn('digest', 'text', (column) => column.notNull());
  for (const column of ['cost', 'cost_femto']) table = table.addColumn(column, 'bigint', (number) => number.notNull());
  const key = postgres ? ['tenant', 'span', 'start', 'digest'] : columns;
  table = table.addPrimaryKeyConstraint('llm_spend_key', [...key] as never);
  await (postgres ? table : table.modifyEnd(sql`without rowid`)).execute();
}

async function createTrigger(database: Kysely<unknown>, postgres: boolean): Promise<void> {
  if (postgres) {
    await sql`create or replace function llm_run_spent() returns trigger language plpgsql as $body$ begin
      ${addSpend('fresh', sql``, true)};
      return null; end $body$`.execute(database);
    await sql`create trigger llm_run_spent after insert on llm_run referencing new table as fresh
      for each statement execute function llm_run_spent()`.execute(database);
    return;
  }
  const insert = (span: Span) => sql`insert into llm_spend (${names([...columns, 'cost', 'cost_femto'])})
    values (${sql.join([...keysOf('new', span, false), sql.ref('new.cost'), femtoOf('new', false)])}) ${conflict(false)}`;
  await sql`create trigger llm_run_spent after insert on llm_run when ${countsForBudgets('new', false)} begin
    ${insert('quarter')}; ${insert('day')}; end`.execute(database);
}

export async function up(database: Kysely<unknown>): Promise<void> {
  const postgres = isPostgres(database);
  await createTable(database, postgres);
  await insertSums('llm_run', 'day', postgres).execute(database);
  const recent = sql`and llm_run.started_at >= ${sql.lit(Date.now() - keptQuartersMs)}`;
  await insertSums('llm_run', 'quarter', postgres, recent).execute(database);
  await createTrigger(database, postgres);
}
