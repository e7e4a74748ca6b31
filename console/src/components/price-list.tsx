/** The prices of a model, one line for each currency. */
import type { ReactNode } from 'react';
import { useFormat } from '../i18n/format.ts';

export interface Price {
  readonly currency: string;
  readonly input?: string | number;
  readonly output?: string | number;
}

export function PriceList({ prices }: { readonly prices: readonly Price[] }): ReactNode {
  const format = useFormat();
  const amount = (value: string | number | undefined, currency: string): string =>
    value === undefined ? '–' : format.money(Number(value), currency);
  return prices.map(({ currency, input, output }, index) => (
    <div key={index}>
      {amount(input, currency)} / {amount(output, currency)}
    </div>
  ));
}
