/** Steps of retention in a transaction: of several nodes on PostgreSQL one works at a time, and a step never waits long for a lock. */
import { sql, type Transaction } from 'kysely';
import type { Database } from '../database.ts';
import type { Schema } from '../schema.ts';

/** Any number that no other part of Pailou uses for an advisory lock. */
const lockKey = 7_260_053;

/** The result of `step`, or null when another node is at work. */
export function onOneNode<T>(database: Database, step: (transaction: Transaction<Schema>) => Promise<T>): Promise<T | null> {
  return database.query.transaction().execute(async (transaction) => {
    if (database.kind === 'postgres') {
      await sql`set local lock_timeout = '50ms'`.execute(transaction);
      const { rows } = await sql<{ taken: boolean }>`select pg_try_advisory_xact_lock(${sql.lit(lockKey)}) as taken`.execute(transaction);
      if (rows[0]?.taken !== true) return null;
    }
    return step(transaction);
  });
}

/** False while runs of older versions are not in the roll-ups: they must not be deleted before. */
export async function isRolledUp(database: Database): Promise<boolean> {
  return (await database.query.selectFrom('llm_rollup_rebuild').select('tenant').limit(1).executeTakeFirst()) === undefined;
}

/** Every tenant that has runs. */
export async function tenantsWithRuns(database: Database): Promise<readonly string[]> {
  const rows = await database.query.selectFrom('llm_rollup_series').select('tenant').distinct().orderBy('tenant').execute();
  return rows.map(({ tenant }) => tenant);
}
