/** The calls of the last day by hour. Nothing where there were none. */
import type { ReactNode } from 'react';
import { pointStarts, type SeriesReport } from '../../api/series.ts';
import { StackedBars } from '../../components/stacked-bars.tsx';
import { useFormat } from '../../i18n/format.ts';
import { useTexts } from '../../i18n/texts.ts';
import { texts } from './texts.ts';

export function HourlyCalls({ report }: { readonly report: SeriesReport }): ReactNode {
  const t = useTexts(texts);
  const format = useFormat();
  if (report.total.calls === 0) return null;
  const series = report.series.map(({ points }) => ({
    name: t('hourly'),
    values: new Map(points.map(({ start, calls }) => [start, calls])),
  }));
  return (
    <StackedBars
      label={t('hourly')}
      starts={pointStarts(report)}
      series={series}
      shown={(value) => format.number(value)}
      shownStart={(start) => format.dateTime(start).slice(0, 16)}
    />
  );
}
