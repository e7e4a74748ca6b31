/** The periods of the report and their points. */
import type { SeriesReport } from '../../api/series.ts';

export const periods = ['day', 'week', 'month'] as const;
export type Period = (typeof periods)[number];

export const measures = ['calls', 'tokens', 'cost', 'failed', 'p95'] as const;
export type MeasureName = (typeof measures)[number];

const dayMs = 86_400_000;
const hourMs = 3_600_000;
const days: Readonly<Record<Period, number>> = { day: 1, week: 7, month: 30 };

/** A day is shown by hours, longer periods by days. */
export function beginOf(period: Period, now: number): { readonly from: string; readonly step: 'hour' | 'day' } {
  const step = period === 'day' ? 'hour' : 'day';
  const length = step === 'hour' ? hourMs : dayMs;
  const end = Math.ceil(now / length) * length;
  return { from: new Date(end - days[period] * dayMs).toISOString(), step };
}

/** The start of each point, also of those without runs, which the report leaves out. */
export function pointStarts({ from, to, step }: Pick<SeriesReport, 'from' | 'to' | 'step'>): readonly string[] {
  const length = step === 'hour' ? hourMs : dayMs;
  const count = Math.round((Date.parse(to) - Date.parse(from)) / length);
  return Array.from({ length: count }, (_none, index) => new Date(Date.parse(from) + index * length).toISOString());
}
