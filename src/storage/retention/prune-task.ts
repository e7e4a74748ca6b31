/** What retention deletes: one task for each kind of old data, in small steps. */

/** Null keeps everything. */
export interface RetentionLimits {
  /** Runs with their attempts. */
  readonly runsDays: number | null;
  /** The size of runs and attempts, beyond which the oldest are deleted. */
  readonly runsGb: number | null;
  /** Sums by hour. Sums by day are kept for ever. */
  readonly hoursDays: number | null;
  /** Changes in the history of the configuration. */
  readonly historyDays: number | null;
}

export interface Expired {
  readonly table: string;
  readonly unit: 'rows' | 'partitions' | 'bytes';
  readonly count: number;
}

export interface PruneTask {
  /** What the next steps would delete. */
  expired(): Promise<readonly Expired[]>;
  /**
   * Deletes a little. False when nothing is left, another node does it, or `signal` ends a step that takes long. Rejects with the driver's error.
   */
  step(signal?: AbortSignal): Promise<boolean>;
}

export const dayMs = 86_400_000;

/** The moment before which data is old; null when it is kept. */
export function cutoffOf(days: number | null, now: number): number | null {
  return days === null ? null : now - days * dayMs;
}
