/** Prices and budgets as decimals of the currency. Costs finer than a micro-unit, units other than tokens, and counts and costs of each attempt. */
import { type Kysely, sql } from 'kysely';
import { withDecimalAmounts } from '../micro-unit-specs.ts';
import { replaceDayTrigger, tokenColumns } from './day-sums.ts';

const units = ['cache_write_tokens', 'pictures', 'milliseconds', 'characters', 'pages', 'searches'] as const;
/** What daily sums count since this migration. */
export const dayCounts = [...tokenColumns, ...units, 'cost', 'cost_femto'] as const;
const ofRuns = [
  'cache_write_1h_tokens',
  'audio_input_tokens',
  'audio_output_tokens',
  'image_input_tokens',
  'image_output_tokens',
  ...units,
] as const;
const ofAttempts = ['input_tokens', 'output_tokens', 'cached_input_tokens', 'cache_write_tokens', 'cost', 'cost_femto'] as const;

interface SpecRow {
  readonly id: string;
  readonly spec: string;
}

interface HistoryRow {
  readonly revision: number;
  readonly sequence: number;
  readonly kind: string;
  readonly before: string | null;
  readonly after: string | null;
}

type Fields = Readonly<Record<string, unknown>>;

/** The converted JSON object. A damaged text stays unchanged, and does not stop the migration of the other rows. */
function converted(text: string, convert: (fields: Fields) => Fields): string {
  let fields: unknown;
  try {
    fields = JSON.parse(text);
  } catch {
    return text;
  }
  return typeof fields === 'object' && fields !== null ? JSON.stringify(convert(fields as Fields)) : text;
}

/** The row inside a history entry, which contains a whole configuration row. */
function inRow(kind: string, text: string | null): string | null {
  if (text === null) return null;
  return converted(text, (row) => ({ ...row, spec: withDecimalAmounts(kind, row['spec'] as Fields) }));
}

async function convertSpecs(database: Kysely<unknown>): Promise<void> {
  for (const [kind, table] of [
    ['model', 'llm_model_config'],
    ['limit', 'llm_limit'],
  ] as const) {
    const { rows } = await sql<SpecRow>`select id, spec from ${sql.table(table)}`.execute(database);
    for (const { id, spec } of rows) {
      const text = converted(spec, (fields) => withDecimalAmounts(kind, fields));
      if (text !== spec) await sql`update ${sql.table(table)} set spec = ${text} where id = ${id}`.execute(database);
    }
  }
  const { rows } = await sql<HistoryRow>`select revision, sequence, kind, before, after from llm_config_history
    where kind in ('model', 'limit')`.execute(database);
  for (const { revision, sequence, kind, before, after } of rows)
    await sql`update llm_config_history set before = ${inRow(kind, before)}, after = ${inRow(kind, after)}
      where revision = ${revision} and sequence = ${sequence}`.execute(database);
}

export async function up(database: Kysely<unknown>): Promise<void> {
  await convertSpecs(database);
  const add = (table: string, column: string): Promise<void> => database.schema.alterTable(table).addColumn(column, 'bigint').execute();
  for (const column of [...ofRuns, 'cost_femto']) await add('llm_run', column);
  for (const column of ofAttempts) await add('llm_attempt', column);
  await database.schema.alterTable('llm_attempt').addColumn('currency', 'text').execute();
  for (const column of [...units, 'cost_femto'])
    await database.schema
      .alterTable('llm_usage_day')
      .addColumn(column, 'bigint', (number) => number.notNull().defaultTo(0))
      .execute();
  await replaceDayTrigger(database, dayCounts);
}
