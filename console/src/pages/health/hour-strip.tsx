/** One cell for each hour of the last day: empty, good, with some errors, or with many. */
import type { ReactNode } from 'react';
import { useFormat } from '../../i18n/format.ts';
import { useTexts } from '../../i18n/texts.ts';
import { texts } from './texts.ts';
import type { Hour } from './use-hours.ts';

/** From this share of failed calls on an hour counts as bad. */
const badShare = 0.05;

function gradeOf(hour: Hour | undefined): 'none' | 'good' | 'some' | 'bad' {
  if (hour === undefined || hour.runs === 0) return 'none';
  if (hour.failed === 0) return 'good';
  return hour.failed / hour.runs < badShare ? 'some' : 'bad';
}

interface HourStripProps {
  readonly hours: readonly Hour[];
  readonly starts: readonly number[];
}

export function HourStrip({ hours, starts }: HourStripProps): ReactNode {
  const t = useTexts(texts);
  const format = useFormat();
  const byStart = new Map(hours.map((hour) => [Date.parse(hour.start), hour]));
  const runs = hours.reduce((sum, hour) => sum + hour.runs, 0);
  const failed = hours.reduce((sum, hour) => sum + hour.failed, 0);
  return (
    <ul className="hour-strip" aria-label={t('dayOf', { runs, failed })}>
      {starts.map((start) => {
        const hour = byStart.get(start);
        const facts = { time: format.dateTime(new Date(start).toISOString()), runs: hour?.runs ?? 0, failed: hour?.failed ?? 0 };
        return <li key={start} className={`hour hour-${gradeOf(hour)}`} title={t('hourOf', facts)} />;
      })}
    </ul>
  );
}
