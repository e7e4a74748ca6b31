/** What each model costs, as this person's list of models says: the price of the row, else that of the catalogue. */
import { useQuery } from '@tanstack/react-query';
import { Button } from 'antd';
import type { ReactNode } from 'react';
import { call } from '../../api/client.ts';
import { type Price, PriceList } from '../../components/price-list.tsx';
import { useTexts } from '../../i18n/texts.ts';
import { texts } from './texts.ts';

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
  return <PriceList prices={prices} />;
}
