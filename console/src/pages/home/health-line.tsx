/** Whether the deployments serve, in one line that leads to the page of their health. */
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Badge } from 'antd';
import type { ReactNode } from 'react';
import { call } from '../../api/client.ts';
import { useTexts } from '../../i18n/texts.ts';
import { texts } from './texts.ts';

interface Health {
  readonly deployments: readonly { readonly deployment: string; readonly circuit: 'closed' | 'half-open' | 'open' }[];
}

export function HealthLine(): ReactNode {
  const t = useTexts(texts);
  const { data } = useQuery({
    queryKey: ['/api/health', 'home'],
    queryFn: ({ signal }) => call<Health>('GET', '/api/health', { signal }),
    refetchInterval: 30_000,
  });
  if (data === undefined || data.deployments.length === 0) return null;
  const out = data.deployments.filter(({ circuit }) => circuit !== 'closed').length;
  const total = data.deployments.length;
  return (
    <p className="health-line">
      <Badge
        status={out === 0 ? 'success' : 'error'}
        text={<Link to="/health">{out === 0 ? t('healthGood', { total }) : t('healthBad', { out, total })}</Link>}
      />
    </p>
  );
}
