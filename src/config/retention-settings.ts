/** The settings of what is kept for how long. */

export const retentionSettings = {
  PAILOU_KEEP_RUNS_DAYS: {
    meaning:
      'Runs and attempts are kept for so long. Sums by day, and what budgets count, are kept for ever. On PostgreSQL whole months are dropped.',
    form: 'a number of days from 1 to 36500, or forever',
    example: '365',
    default: '90',
  },
  PAILOU_KEEP_RUNS_GB: {
    meaning:
      'The oldest runs are deleted beyond this size: of the file on SQLite, of the tables of runs and attempts on PostgreSQL, where the current month stays.',
    form: 'a number of gigabytes from 1 to 100000',
    example: '50',
    default: 'no limit of size',
  },
  PAILOU_KEEP_HOURS_DAYS: {
    meaning: 'Sums by hour, for reports, are kept for so long.',
    form: 'a number of days from 1 to 36500, or forever',
    example: '90',
    default: '400',
  },
  PAILOU_KEEP_HISTORY_DAYS: {
    meaning: 'Changes of the configuration are kept for so long, for roll-backs; the last 1,000 at any age. The audit is kept for ever.',
    form: 'a number of days from 1 to 36500, or forever',
    example: '730',
    default: '365',
  },
} as const;

/** A number of days, or null for `forever`. Undefined for anything else. */
export function daysOrForever(text: string): number | null | undefined {
  if (text === 'forever') return null;
  return /^\d{1,5}$/.test(text) && Number(text) >= 1 && Number(text) <= 36_500 ? Number(text) : undefined;
}
