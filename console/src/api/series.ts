/** Sums over time, from the roll-ups of the gateway; never a scan of the ledger. */
import { useQuery, type UseQueryResult } from '@tanstack/react-query';
import { call, queryOf } from './client.ts';

const dayMs = 86_400_000;
const hourMs = 3_600_000;

export interface Latency {
  readonly count: number;
  readonly p50_ms: number | null;
  readonly p95_ms: number | null;
}

export interface Measures {
  readonly runs: number;
  readonly calls: number;
  readonly failed: number;
  readonly aborted: number;
  readonly input_tokens: number;
  readonly output_tokens: number;
  readonly cached_input_tokens: number;
  /** An amount for each currency. */
  readonly cost: Readonly<Record<string, number>>;
  readonly duration: Latency;
  readonly first_token: Latency;
}

export interface Series {
  /** The value of the dimension; null for the sum of all other series. */
  readonly of: Readonly<Record<string, string | null>> | null;
  readonly total: Measures;
  readonly points: readonly (Measures & { readonly start: string })[];
}

export interface SeriesReport {
  readonly from: string;
  readonly to: string;
  readonly step: 'hour' | 'day';
  readonly total: Measures;
  readonly series: readonly Series[];
}

export interface SeriesQuestion {
  readonly from: string;
  readonly step: 'hour' | 'day';
  readonly by?: string;
  readonly top?: number;
  /** Of one team, for its administrators. */
  readonly team?: string | undefined;
}

export function useSeries(question: SeriesQuestion, enabled = true): UseQueryResult<SeriesReport> {
  return useQuery({
    enabled,
    queryKey: ['/api/reports/series', question],
    queryFn: ({ signal }) => call<SeriesReport>('GET', `/api/reports/series${queryOf({ ...question })}`, { signal }),
    refetchInterval: 30_000,
  });
}

/** The start of each point, also of those without runs, which the report leaves out. */
export function pointStarts({ from, to, step }: Pick<SeriesReport, 'from' | 'to' | 'step'>): readonly string[] {
  const length = step === 'hour' ? hourMs : dayMs;
  const count = Math.round((Date.parse(to) - Date.parse(from)) / length);
  return Array.from({ length: count }, (_none, index) => new Date(Date.parse(from) + index * length).toISOString());
}
