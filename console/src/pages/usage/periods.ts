/** The periods of the report. */
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
