/** One cell for each hour of the last day: empty, good, with some failures, or with many. */
import type { ReactNode } from 'react';
import { useFormat } from '../../i18n/format.ts';
import { useTexts } from '../../i18n/texts.ts';
import { texts } from './texts.ts';
import type { Hour, Hours } from './use-hours.ts';

/** From this share of failed attempts on an hour counts as bad. */
const badShare = 0.05;
const nothing: Hour = { answered: 0, failed: 0 };

function gradeOf({ answered, failed }: Hour): 'none' | 'good' | 'some' | 'bad' {
  if (answered + failed === 0) return 'none';
  if (failed === 0) return 'good';
  return failed / (answered + failed) < badShare ? 'some' : 'bad';
}

interface HourStripProps {
  readonly hours: Hours;
  readonly starts: readonly number[];
}

export function HourStrip({ hours, starts }: HourStripProps): ReactNode {
  const t = useTexts(texts);
  const format = useFormat();
  const shown = starts.map((start) => ({ start, ...(hours.get(start) ?? nothing) }));
  const answered = shown.reduce((sum, hour) => sum + hour.answered, 0);
  const failed = shown.reduce((sum, hour) => sum + hour.failed, 0);
  return (
    <ul className="hour-strip" aria-label={t('dayOf', { answered, failed })}>
      {shown.map((hour) => {
        const facts = { time: format.dateTime(new Date(hour.start).toISOString()), answered: hour.answered, failed: hour.failed };
        return <li key={hour.start} className={`hour hour-${gradeOf(hour)}`} title={t('hourOf', facts)} />;
      })}
    </ul>
  );
}
