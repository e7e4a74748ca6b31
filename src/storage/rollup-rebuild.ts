/**
 * Adds the runs of older versions to the roll-ups: one hour of one tenant in each step, the latest first, off the calls' path. A step sums
 * its whole hour anew, so that it may be repeated; new runs of that hour are in the same sums.
 */
import { type RawBuilder, sql, type Transaction } from 'kysely';
import type { Logger } from '../types/logger.ts';
import type { Database } from './database.ts';
import { insertRollup, insertSeries, rollupSpans, rollupSums } from './migrations/rollup-sums.ts';
import type { Schema } from './schema.ts';

export interface RollupRebuild extends AsyncDisposable {
  /** Resolves when nothing is left to sum, or at the first failure; the work continues later then. */
  readonly done: Promise<void>;
}

/** The time between two steps, in which other work has the database. */
const pauseMs = 20;
const retryMs = 30_000;
const { hour, day } = rollupSpans;
const startOf = (moment: number, length: number): number => moment - (moment % length);

/** The day is the sum of its hours. */
async function sumDay(transaction: Transaction<Schema>, tenant: string, start: number): Promise<void> {
  const columns = sql.join(['tenant', 'start', 'series', ...rollupSums].map((name) => sql.ref(name)));
  const sums = sql.join(rollupSums.map((name) => sql`sum(${sql.ref(name)})`));
  await transaction.deleteFrom('llm_rollup_day').where('tenant', '=', tenant).where('start', '=', start).execute();
  await sql`insert into llm_rollup_day (${columns}) select tenant, cast(${start} as bigint), series, ${sums} from llm_rollup_hour
    where tenant = ${tenant} and start >= ${start} and start < ${start + day} group by tenant, series`.execute(transaction);
}

function runsOfHour(tenant: string, start: number): RawBuilder<unknown> {
  return sql`llm_run_all run where run.tenant = ${sql.lit(tenant)} and run.started_at >= ${sql.lit(start)} and run.started_at < ${sql.lit(start + hour)}`;
}

async function sumHour(transaction: Transaction<Schema>, postgres: boolean, tenant: string, start: number): Promise<void> {
  await transaction.deleteFrom('llm_rollup_hour').where('tenant', '=', tenant).where('start', '=', start).execute();
  await insertRollup('hour', runsOfHour(tenant, start), postgres, { sparse: postgres }).execute(transaction);
  await sumDay(transaction, tenant, startOf(start, day));
}

/** One step. False when nothing is left. Rejects with the driver's error. */
export async function rebuildStep(database: Database): Promise<boolean> {
  const { query } = database;
  const left = await query.selectFrom('llm_rollup_rebuild').selectAll().orderBy('tenant').limit(1).executeTakeFirst();
  if (left === undefined) return false;
  const { tenant } = left;
  const before = Number(left.before);
  const last = await query
    .selectFrom('llm_run')
    .select('started_at')
    .where('tenant', '=', tenant)
    .where('started_at', '<', before)
    .orderBy('started_at', 'desc')
    .orderBy('id', 'desc')
    .limit(1)
    .executeTakeFirst();
  const start = last === undefined ? null : startOf(Number(last.started_at), hour);
  const postgres = database.kind === 'postgres';
  // Before the lock: a writer adds its series first and then waits for the lock, so the other order would be a deadlock. Writers add those of newer runs.
  if (start !== null) await insertSeries(runsOfHour(tenant, start), postgres).execute(query);
  await query.transaction().execute(async (transaction) => {
    // Writers add to the sums in the transaction of their runs. They wait here, so that no run is counted twice or missed.
    if (postgres) await sql`lock table llm_rollup_hour, llm_rollup_day in exclusive mode`.execute(transaction);
    if (start === null) {
      await transaction.deleteFrom('llm_rollup_rebuild').where('tenant', '=', tenant).execute();
      return;
    }
    await sumHour(transaction, postgres, tenant, start);
    await transaction
      .updateTable('llm_rollup_rebuild')
      .set({ before: start })
      .where('tenant', '=', tenant)
      .where('before', '>', start)
      .execute();
  });
  return true;
}

export function createRollupRebuild({ database, logger }: { readonly database: Database; readonly logger: Logger }): RollupRebuild {
  const closed = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const work = async (): Promise<void> => {
    let steps = 0;
    try {
      while (!closed.signal.aborted && (await rebuildStep(database))) {
        steps++;
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
      }
      if (steps > 0 && !closed.signal.aborted) logger.info({ steps }, 'the roll-ups contain the runs of older versions');
    } catch (thrown) {
      logger.debug({ err: database.explain(thrown) }, 'the roll-ups of older runs wait for the database');
      if (!closed.signal.aborted)
        timer = setTimeout(() => {
          done = work();
        }, retryMs).unref();
    }
  };
  let done = work();
  return {
    get done() {
      return done;
    },
    async [Symbol.asyncDispose]() {
      closed.abort();
      clearTimeout(timer);
      await done;
    },
  };
}
