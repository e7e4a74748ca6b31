/** Steps of retention in a transaction: of several nodes on PostgreSQL one works at a time, and a step never waits long for a lock. */
import { sql, type Transaction } from 'kysely';
import type { Database } from '../database.ts';
import type { Schema } from '../schema.ts';

/** Any number that no other part of Pailou uses for an advisory lock. */
const lockKey = 7_260_053;
const lockNotAvailable = '55P03';

/** The result of `step`, or null when another node is at work, or when a reader or writer holds a lock that the step needs. */
export async function onOneNode<T>(database: Database, step: (transaction: Transaction<Schema>) => Promise<T>): Promise<T | null> {
  try {
    return await database.query.transaction().execute(async (transaction) => {
      if (database.kind === 'postgres') {
        await sql`set local lock_timeout = '50ms'`.execute(transaction);
        const { rows } = await sql<{ taken: boolean }>`select pg_try_advisory_xact_lock(${sql.lit(lockKey)}) as taken`.execute(transaction);
        if (rows[0]?.taken !== true) return null;
      }
      return step(transaction);
    });
  } catch (thrown) {
    if ((thrown as { code?: string }).code === lockNotAvailable) return null;
    throw thrown;
  }
}

/** A check that says false while runs of older versions are not in the roll-ups: they must not be deleted before. Once true, it stays so. */
export function rolledUp({ query }: Database): () => Promise<boolean> {
  let isDone = false;
  return async () => {
    isDone ||= (await query.selectFrom('llm_rollup_rebuild').select('tenant').limit(1).executeTakeFirst()) === undefined;
    return isDone;
  };
}
