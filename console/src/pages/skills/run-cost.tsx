/** What a test run spent with everything that it called, and the way to its trace. */
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Skeleton, Space } from 'antd';
import type { ReactNode } from 'react';
import { ApiError } from '../../api/api-error.ts';
import { call } from '../../api/client.ts';
import { ErrorState } from '../../components/error-state.tsx';
import { useFormat } from '../../i18n/format.ts';
import { useTexts } from '../../i18n/texts.ts';
import { texts } from './texts.ts';

interface RunState {
  readonly spent: {
    readonly input_tokens: number;
    readonly output_tokens: number;
    /** Amounts by currency. */
    readonly cost: Readonly<Record<string, number>>;
    /** Every call had a price. */
    readonly priced: boolean;
  };
  readonly tree: { readonly started_at: string; readonly ended_at: string };
}

export function RunCost({ id }: { readonly id: string }): ReactNode {
  const t = useTexts(texts);
  const format = useFormat();
  const run = useQuery({
    queryKey: ['/v1/runs', id],
    queryFn: ({ signal }) => call<RunState>('GET', `/v1/runs/${id}`, { signal }),
    // A run is booked a moment after its answer.
    retry: (count, error) => count < 8 && error instanceof ApiError && error.status === 404,
    retryDelay: 500,
  });
  if (run.error !== null) return <ErrorState error={run.error} onRetry={() => void run.refetch()} />;
  if (run.data === undefined) return <Skeleton active paragraph={{ rows: 1 }} title={false} />;
  const { spent, tree } = run.data;
  const costs = Object.entries(spent.cost).map(([currency, amount]) => format.money(amount, currency));
  return (
    <Space wrap size="large" className="skill-cost">
      <span>{t('duration', { duration: format.duration(Date.parse(tree.ended_at) - Date.parse(tree.started_at)) })}</span>
      <span>{t('tokens', { input: format.number(spent.input_tokens), output: format.number(spent.output_tokens) })}</span>
      <span>
        {t('cost')} {costs.length === 0 ? t('noPrice') : costs.join(' + ')}
        {costs.length > 0 && !spent.priced && ` (${t('partlyPriced')})`}
      </span>
      <Link to="/calls" search={{ open: id }}>
        {t('trace')}
      </Link>
    </Space>
  );
}
