/**
 * The short columns of `llm_run_fact` on PostgreSQL: numbers in four bytes or two instead of eight, and a request id as a UUID. A value that
 * does not fit lies in its long column; one of both is null, which takes no space. Frozen with the migration that adds the columns.
 */
import { type RawBuilder, sql } from 'kysely';
import type { FactColumn } from './run-facts.ts';

/** Columns with a short one beside them, `short_<name>`, of four bytes. */
export const shortNumbers = [
  'first_token_ms',
  'ended_ms',
  'input_tokens',
  'output_tokens',
  'cached_input_tokens',
  'reasoning_tokens',
  'cache_write_tokens',
  'cost',
  'cost_femto',
  'revision',
] as const;

/** Columns of two bytes for the times of the only attempt. The last two count back from the times of the run, which are nearly the same. */
export const shortTimes = ['short_attempt_started_ms', 'attempt_first_token_before', 'attempt_ended_before'] as const;

/** The value of a column of a row with the alias `fact`, short or long. */
export const shortOrLong: FactColumn = (column) => columnOf('fact', column);

export function columnOf(row: string, column: string): RawBuilder<unknown> {
  const own = (name: string): RawBuilder<unknown> => sql.ref(`${row}.${name}`);
  const short = own(`short_${column}`);
  switch (column) {
    case 'attempt_started_ms':
      return sql`coalesce(${own(column)}, ${short})`;
    case 'attempt_first_token_ms':
      return sql`coalesce(${own(column)}, ${columnOf(row, 'first_token_ms')} - ${own('attempt_first_token_before')})`;
    case 'attempt_ended_ms':
      return sql`coalesce(${own(column)}, ${columnOf(row, 'ended_ms')} - ${own('attempt_ended_before')})`;
    case 'request_id':
      return sql`coalesce(${own(column)}, uuid_send(${own('request_uuid')}))`;
    case 'cost_femto':
      // A known cost without a fraction has none in its row.
      return sql`coalesce(${own(column)}, ${short}, case when coalesce(${own('cost')}, ${own('short_cost')}) is not null then 0 end)`;
    default:
      return (shortNumbers as readonly string[]).includes(column) ? sql`coalesce(${own(column)}, ${short})` : own(column);
  }
}

/**
 * The first half of the time in an ordered UUID: the requests of about a minute share it, so that the index has one entry for all of them
 * with six bytes for each.
 */
export function requestMinute(uuid: RawBuilder<unknown>): RawBuilder<unknown> {
  return sql`substr(${uuid}::text, 1, 8)`;
}
