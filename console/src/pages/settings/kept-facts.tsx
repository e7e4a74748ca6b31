/** What is kept, and for how long. */
import type { ReactNode } from 'react';
import { FactList } from '../../components/fact-list.tsx';
import { useFormat } from '../../i18n/format.ts';
import { useTexts } from '../../i18n/texts.ts';
import { daysOf, type Setting, valueOf } from './setting.ts';
import { texts } from './texts.ts';

export function KeptFacts({ settings }: { readonly settings: readonly Setting[] }): ReactNode {
  const t = useTexts(texts);
  const format = useFormat();
  const timeOf = (name: string): string => {
    const days = daysOf(settings, name);
    return days === null ? t('forever') : t('days', { days: format.number(days) });
  };
  const size = Number(valueOf(settings, 'PAILOU_KEEP_RUNS_GB'));
  const runs = timeOf('PAILOU_KEEP_RUNS_DAYS');
  return (
    <section aria-label={t('kept')}>
      <h2 className="drawer-heading">{t('kept')}</h2>
      <FactList
        facts={[
          [t('runs'), Number.isFinite(size) ? t('runsUpTo', { time: runs, size: format.number(size) }) : runs],
          [t('hours'), timeOf('PAILOU_KEEP_HOURS_DAYS')],
          [t('history'), timeOf('PAILOU_KEEP_HISTORY_DAYS')],
          [t('audit'), t('forever')],
          [t('responses'), valueOf(settings, 'PAILOU_RESPONSES_STORE') === 'off' ? t('responsesOff') : t('responsesOn')],
          [t('contents'), t('contentsRule')],
        ]}
      />
    </section>
  );
}
