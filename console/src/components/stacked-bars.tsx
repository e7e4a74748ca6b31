/** A bar for each point of time, stacked by series. The table beside it holds the same numbers, so the picture needs no keys. */
import type { ReactNode } from 'react';
import { useTexts } from '../i18n/texts.ts';
import './charts.css';
import { texts } from './texts.ts';

export interface BarSeries {
  readonly name: string;
  /** By the start of the point. */
  readonly values: ReadonlyMap<string, number>;
}

interface StackedBarsProps {
  readonly label: string;
  readonly starts: readonly string[];
  readonly series: readonly BarSeries[];
  readonly shown: (value: number) => string;
  readonly shownStart: (start: string) => string;
}

/** Colours that differ in brightness too, for readers who see no hues. */
export const seriesColors = [
  '#0958d9',
  '#d46b08',
  '#389e0d',
  '#c41d7f',
  '#08979c',
  '#531dab',
  '#d4b106',
  '#a8071a',
  '#1d39c4',
  '#5b8c00',
  '#8c8c8c',
];

export function StackedBars({ label, starts, series, shown, shownStart }: StackedBarsProps): ReactNode {
  const t = useTexts(texts);
  const sums = starts.map((start) => series.reduce((sum, { values }) => sum + (values.get(start) ?? 0), 0));
  const highest = Math.max(...sums, 0);
  if (highest === 0) return <p className="bars-empty">{t('chartEmpty')}</p>;
  return (
    <figure className="bars">
      <figcaption>
        {label} · {t('chartHighest', { value: shown(highest) })}
      </figcaption>
      <div className="bars-plot" aria-hidden="true">
        {starts.map((start, index) => (
          <div key={start} className="bars-column" title={`${shownStart(start)}: ${shown(sums[index] ?? 0)}`}>
            {series.map(({ name, values }, color) => (
              <span
                key={name}
                style={{
                  height: `${(((values.get(start) ?? 0) / highest) * 100).toFixed(2)}%`,
                  background: seriesColors[color % seriesColors.length],
                }}
              />
            ))}
          </div>
        ))}
      </div>
      <div className="bars-axis" aria-hidden="true">
        <span>{shownStart(starts[0] ?? '')}</span>
        <span>{shownStart(starts.at(-1) ?? '')}</span>
      </div>
    </figure>
  );
}
