/** Deletes old data in the background, in small steps with pauses, so that calls and their ledger never wait. */
import { setTimeout as delay } from 'node:timers/promises';
import { sql } from 'kysely';
import type { Logger } from '../../types/logger.ts';
import type { Database } from '../database.ts';
import { expiredRows } from './expired-rows.ts';
import { freePages } from './free-pages.ts';
import { monthStart } from '../migrations/month-partitions.ts';
import { monthlyPartitions } from './month-partitions.ts';
import { packedMonths } from './packed-months.ts';
import { oldHistory } from './old-history.ts';
import { oldRuns } from './old-runs.ts';
import { oldSums, type TimeRange } from './old-sums.ts';
import { cutoffOf, dayMs, type PruneTask, type RetentionLimits } from './prune-task.ts';

const everyMs = 10 * 60_000;
const pauseMs = 25;
/** A week, and the hours by which a time zone is ahead or behind. */
const quarterDays = 9;

/**
 * Quarter hours are read for the first day of a budget's period only: in any time zone it is one of the last days, or the current or the
 * previous month begins on it.
 */
function oldQuarters(now: number): readonly TimeRange[] {
  const [month, last] = [monthStart(now), monthStart(now, -1)];
  const to = now - quarterDays * dayMs;
  return [
    { from: 0, to: last - dayMs },
    { from: last + dayMs, to: Math.min(to, month - dayMs) },
    { from: month + dayMs, to },
  ].filter((range) => range.from < range.to);
}

export function pruneTasks(database: Database, limits: RetentionLimits, now: () => number = Date.now): readonly PruneTask[] {
  const runs = cutoffOf(limits.runsDays, now());
  const hours = cutoffOf(limits.hoursDays, now());
  const oldHours = hours === null ? [] : [{ from: 0, to: hours }];
  return [
    monthlyPartitions(database, { cutoff: runs, mostGb: limits.runsGb }, now),
    oldRuns(database, runs, limits.runsGb),
    oldSums(database, { table: 'llm_rollup_hour', only: sql`true`, old: oldHours }),
    oldSums(database, { table: 'llm_rollup_hour_adjustment', only: sql`true`, old: oldHours }),
    oldSums(database, { table: 'llm_team_rollup_hour', only: sql`true`, old: oldHours }),
    oldSums(database, { table: 'llm_failed_attempt_hour', only: sql`true`, old: oldHours }),
    oldSums(database, { table: 'llm_spend', only: sql`span = 'quarter'`, old: oldQuarters(now()) }),
    oldHistory(database, cutoffOf(limits.historyDays, now())),
    expiredRows(database, 'llm_run_content', now()),
    expiredRows(database, 'llm_response', now()),
    freePages(database),
    packedMonths(database, now),
  ];
}

export interface Retention extends AsyncDisposable {
  /** One round over all tasks, also behind one that fails. Rejects with the driver's first error. */
  round(): Promise<void>;
}

export function createRetention(options: {
  readonly database: Database;
  readonly limits: RetentionLimits;
  readonly logger: Logger;
}): Retention {
  const { database, limits, logger } = options;
  const closed = new AbortController();
  let working: Promise<void> = Promise.resolve();
  let failing = false;

  const round = async (): Promise<void> => {
    let steps = 0;
    const failures: unknown[] = [];
    for (const task of pruneTasks(database, limits))
      try {
        while (!closed.signal.aborted && (await task.step(closed.signal))) {
          steps++;
          await delay(pauseMs, undefined, { signal: closed.signal }).catch(() => {});
        }
      } catch (thrown) {
        failures.push(thrown);
      }
    if (steps > 0) logger.info({ steps }, 'old data was deleted');
    if (failures.length > 0) throw failures[0];
  };
  const attempt = async (): Promise<void> => {
    try {
      await round();
      failing = false;
    } catch (thrown) {
      if (!failing) logger.warn({ err: database.explain(thrown) }, 'old data could not be deleted; trying again later');
      failing = true;
    }
  };
  const next = (): void => {
    working = working.then(() => (closed.signal.aborted ? undefined : attempt()));
  };
  const timer = setInterval(next, everyMs).unref();
  next();
  return {
    round,
    async [Symbol.asyncDispose]() {
      clearInterval(timer);
      closed.abort();
      await working;
    },
  };
}
