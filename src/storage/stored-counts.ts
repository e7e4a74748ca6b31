/** Reads counts and amounts from the database. Invalid values count as unknown and never cause an error. */
import { type RawBuilder, sql } from 'kysely';
import { amountNumber, type Femto, joinAmount } from '../types/money.ts';
import type { Database } from './database.ts';

/** The largest count that one run can have. */
const largestCount = 1_000_000_000_000;
/** The largest amount of one run, in micro-units. */
const largestCost = 1_000_000_000_000_000;
const femtoOfMicro = 1_000_000_000;

/** An integer from 0 to `most`; null for anything else. */
export function storedCount(value: unknown, most = largestCount): number | null {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 0 && value <= most ? value : null;
}

/** The amount of a run, for display; null when it is unknown. */
export function storedCost(micro: unknown, femto: unknown): number | null {
  const whole = storedCount(micro, largestCost);
  return whole === null ? null : amountNumber(joinAmount(whole, storedCount(femto, femtoOfMicro) ?? 0));
}

/** A sum as either database returns it: a number, a bigint, or digits. */
export function storedSum(value: unknown): bigint {
  if (typeof value === 'bigint') return value;
  if (typeof value === 'number' && Number.isSafeInteger(value)) return BigInt(value);
  return typeof value === 'string' && /^-?\d{1,30}$/.test(value) ? BigInt(value) : 0n;
}

/** A sum as a number. Short digits, which PostgreSQL returns for nearly every sum, are not made a bigint first. */
export function storedNumber(value: unknown): number {
  return typeof value === 'string' && value.length < 16 ? (/^-?\d+$/.test(value) ? Number(value) : 0) : Number(storedSum(value));
}

export function storedSumOfAmounts(micro: unknown, femto: unknown): Femto {
  return joinAmount(storedSum(micro), storedSum(femto));
}

/** `value` when it is a valid count or amount of a run or a day, else 0, so that no sum overflows. */
export function summable(database: Pick<Database, 'kind'>, value: RawBuilder<unknown>): RawBuilder<unknown> {
  const range = sql`${value} between 0 and ${sql.lit(largestCost)}`;
  // SQLite stores fractions and texts in integer columns.
  const whole = database.kind === 'postgres' ? range : sql`typeof(${value}) = 'integer' and ${range}`;
  return sql`case when ${whole} then ${value} else 0 end`;
}
