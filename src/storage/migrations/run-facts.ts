/**
 * The star schema of runs: `llm_run_fact` has one narrow row for each run, and the texts that repeat lie once in tables of dimensions. Frozen
 * with the migration that creates the tables: a change needs another migration.
 */
import { type RawBuilder, sql } from 'kysely';

/** The columns of each dimension. A row is found by the digest of its values. */
export const runDimensions = {
  person: ['tenant', 'issuer', 'subject'],
  api_key: ['tenant', 'key_id'],
  caller: ['username', 'client', 'roles'],
  target: ['tenant', 'capability'],
  result: [
    'operation',
    'streamed',
    'via',
    'outcome',
    'error',
    'deployment',
    'provider',
    'currency',
    'usage_estimated',
    'unbudgeted',
    'attempt_upstream_model',
    'attempt_status',
  ],
} as const;
export type RunDimension = keyof typeof runDimensions;
export const dimensionNames = Object.keys(runDimensions) as RunDimension[];
/** The columns of dimensions with numbers. */
export const dimensionNumbers: readonly string[] = ['streamed', 'usage_estimated', 'unbudgeted', 'attempt_status'];

/** The columns of dimensions that no run lacks. */
export const dimensionNeeds: readonly string[] = [
  'tenant',
  'subject',
  'username',
  'roles',
  'capability',
  'operation',
  'streamed',
  'outcome',
  'usage_estimated',
];

/** Times of a run as milliseconds since its start. */
export const runOffsets = {
  first_token_at: 'first_token_ms',
  ended_at: 'ended_ms',
  attempt_started_at: 'attempt_started_ms',
  attempt_first_token_at: 'attempt_first_token_ms',
  attempt_ended_at: 'attempt_ended_ms',
} as const;

/** Counts and amounts, as they are in `llm_run`. */
export const runNumbers = [
  'input_tokens',
  'output_tokens',
  'cached_input_tokens',
  'reasoning_tokens',
  'cache_write_tokens',
  'cache_write_1h_tokens',
  'audio_input_tokens',
  'audio_output_tokens',
  'image_input_tokens',
  'image_output_tokens',
  'pictures',
  'milliseconds',
  'characters',
  'pages',
  'searches',
  'cost',
  'cost_femto',
] as const;

/** Ids as bytes. Those of the parent and the root are null for a run without a parent. */
export const runIds = ['id', 'parent', 'root', 'request_id'] as const;

/** The columns of `llm_run`. */
export const runColumns = [
  ...runIds,
  'tenant',
  'issuer',
  'subject',
  'username',
  'client',
  'key_id',
  'roles',
  'on_behalf_of',
  'capability',
  'revision',
  'started_at',
  ...(Object.keys(runOffsets) as (keyof typeof runOffsets)[]),
  ...runDimensions.result,
  ...runNumbers,
] as const;

const fact = (column: string): RawBuilder<unknown> => sql.ref(`fact.${column}`);

/** The text of an id: 16 bytes are a UUID, others are UTF-8 after one zero, or after two where one makes 16 bytes. Null for null. */
function textOf(id: RawBuilder<unknown>, postgres: boolean): RawBuilder<unknown> {
  if (postgres)
    return sql`case when length(${id}) = 16 then encode(${id}, 'hex')::uuid::text
      when length(${id}) = 17 then convert_from(case when get_byte(${id}, 1) = 0 then substr(${id}, 3) else substr(${id}, 2) end, 'UTF8')
      else convert_from(substr(${id}, 2), 'UTF8') end`;
  const digits = sql`lower(hex(${id}))`;
  const part = (from: number, length: number) => sql`substr(${digits}, ${sql.lit(from)}, ${sql.lit(length)})`;
  return sql`case when length(${id}) = 16
    then ${part(1, 8)} || '-' || ${part(9, 4)} || '-' || ${part(13, 4)} || '-' || ${part(17, 4)} || '-' || ${part(21, 12)}
    when length(${id}) = 17 and substr(${id}, 2, 1) = x'00' then cast(substr(${id}, 3) as text)
    else cast(substr(${id}, 2) as text) end`;
}

/** The value of a column of `llm_run_fact`, with the alias `fact`. */
export type FactColumn = (column: string) => RawBuilder<unknown>;

function valueOf(column: (typeof runColumns)[number], postgres: boolean, own: FactColumn): RawBuilder<unknown> {
  if (column === 'root') return textOf(sql`coalesce(fact.root, fact.id)`, postgres);
  if ((runIds as readonly string[]).includes(column)) return textOf(own(column), postgres);
  if (Object.hasOwn(runOffsets, column)) return sql`fact.started_at + ${own(runOffsets[column as keyof typeof runOffsets])}`;
  const ofFacts: readonly string[] = ['tenant', 'on_behalf_of', 'revision', 'started_at', ...runNumbers];
  if (ofFacts.includes(column)) return own(column);
  const dimension = dimensionNames.find((name) => (runDimensions[name] as readonly string[]).includes(column));
  return sql.ref(`${String(dimension)}.${column}`);
}

/** The rows of `facts`, a table of facts, with the columns of `llm_run`. `more` are columns of the facts themselves, `own` reads one. */
export function wideRuns(facts: string, postgres: boolean, more: RawBuilder<unknown> = sql``, own: FactColumn = fact): RawBuilder<unknown> {
  const columns = runColumns.map((column) => sql`${valueOf(column, postgres, own)} as ${sql.ref(column)}`);
  const joins = dimensionNames.map(
    (name) => sql`left join ${sql.table(`llm_run_${name}`)} ${sql.ref(name)} on ${sql.ref(`${name}.id`)} = ${fact(name)}`,
  );
  return sql`select ${sql.join(columns)} ${more} from ${sql.table(facts)} fact ${sql.join(joins, sql` `)}`;
}
