/** The sums of a period: calls, failures, tokens, cost, time to the first token. */
import type { ReactNode } from 'react';
import type { Measures } from '../api/series.ts';
import { type Format, useFormat } from '../i18n/format.ts';
import { useTexts } from '../i18n/texts.ts';
import { NumberCards } from './number-cards.tsx';
import { texts } from './texts.ts';

/** Amounts of several currencies are never added. */
export function costText(format: Format, cost: Measures['cost']): string {
  const amounts = Object.entries(cost);
  return amounts.length === 0 ? '–' : amounts.map(([currency, amount]) => format.money(amount, currency)).join(' + ');
}

export function UsageCards({ total }: { readonly total: Measures }): ReactNode {
  const t = useTexts(texts);
  const format = useFormat();
  return (
    <NumberCards
      cards={[
        { name: t('calls'), value: format.number(total.calls) },
        {
          name: t('failed'),
          value: format.percent(total.runs === 0 ? 0 : total.failed / total.runs),
          note: t('failedRuns', { failed: format.number(total.failed), runs: format.number(total.runs) }),
        },
        { name: t('tokensIn'), value: format.short(total.input_tokens) },
        { name: t('tokensOut'), value: format.short(total.output_tokens) },
        { name: t('cost'), value: costText(format, total.cost) },
        {
          name: t('firstToken'),
          value: format.duration(total.first_token.p50_ms),
          note: t('firstTokenLate', { duration: format.duration(total.first_token.p95_ms) }),
        },
      ]}
    />
  );
}
