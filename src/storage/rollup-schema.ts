/** The tables of sums of runs: by hour and by day for reports and time series, and for budgets. */
import type { Generated } from 'kysely';

/** One combination of labels in the roll-ups. Empty text for missing values. */
export interface RollupSeriesTable {
  id: Generated<number>;
  tenant: string;
  issuer: string;
  subject: string;
  client: string;
  key_id: string;
  capability: string;
  deployment: string;
  provider: string;
  skill: string;
  /** The error code of the runs. */
  error: string;
  currency: string;
  /** The model that answered. */
  model: string;
}

/** The sums of one series in one hour or day (UTC). It has a column for each bucket of the histograms. */
export interface RollupTable extends Record<RollupBucket, number> {
  tenant: string;
  /** Epoch milliseconds. */
  start: number;
  series: number;
  runs: number;
  /** The number of root runs. */
  calls: number;
  failed: number;
  aborted: number;
  input_tokens: number;
  output_tokens: number;
  cached_input_tokens: number;
  cache_write_tokens: number;
  reasoning_tokens: number;
  cost: number;
  cost_femto: number;
  /** Sums over complete runs. */
  duration_ms: number;
  first_token_ms: number;
}
type RollupBucket = `${'duration' | 'first_token'}_${number}`;

/** Runs of older versions that are not in the roll-ups yet: those of the tenant that started before `before`. */
export interface RollupRebuildTable {
  tenant: string;
  before: number;
}

/** What budgets count, by quarter hour and by day (UTC) of the start of a run. Empty text for missing values. */
export interface SpendTable {
  tenant: string;
  span: 'quarter' | 'day';
  /** Epoch milliseconds. */
  start: number;
  issuer: string;
  subject: string;
  client: string;
  key_id: string;
  roles: string;
  /** The model that answered. */
  model: string;
  currency: string;
  cost: number;
  cost_femto: number;
}
