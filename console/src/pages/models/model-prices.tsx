/** What each model costs, as this person's list of models says: the price of the row, else that of the catalogue. */
import { useQuery } from '@tanstack/react-query';
import { Button } from 'antd';
import type { ReactNode } from 'react';
import { call } from '../../api/client.ts';
import { useFormat } from '../../i18n/format.ts';
import { useTexts } from '../../i18n/texts.ts';
import { texts } from './texts.ts';

interface Price {
  readonly currency: string;
  readonly input?: string | number;
  readonly output?: string | number;
}

interface ListedModel {
  readonly id: string;
  readonly prices?: readonly Price[];
}

export type Prices = ReadonlyMap<string, readonly Price[]>;

export function useModelPrices(): Prices | undefined {
  const list = useQuery({
    queryKey: ['/v1/models'],
    queryFn: ({ signal }) => call<{ readonly data: readonly ListedModel[] }>('GET', '/v1/models', { signal }),
  });
  return list.data === undefined ? undefined : new Map(list.data.data.map(({ id, prices = [] }) => [id, prices]));
}

interface PriceCellProps {
  readonly prices: readonly Price[] | undefined;
  /** Opens the row, where a price is set; undefined for those who may not change it. */
  readonly onSet: (() => void) | undefined;
}

export function PriceCell({ prices, onSet }: PriceCellProps): ReactNode {
  const t = useTexts(texts);
  const format = useFormat();
  if (prices === undefined) return '–';
  if (prices.length === 0) {
    return onSet === undefined ? (
      t('noPrice')
    ) : (
      <Button type="link" size="small" className="row-name" onClick={onSet}>
        {t('setPrice')}
      </Button>
    );
  }
  const amount = (value: string | number | undefined, currency: string): string =>
    value === undefined ? '–' : format.money(Number(value), currency);
  return prices.map(({ currency, input, output }, index) => (
    <div key={index}>
      {amount(input, currency)} / {amount(output, currency)}
    </div>
  ));
}
