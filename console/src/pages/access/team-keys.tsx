/** The service accounts of a team and their keys. */
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { Skeleton } from 'antd';
import type { ReactNode } from 'react';
import { callAll } from '../../api/client.ts';
import type { Row } from '../../api/rows.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorState } from '../../components/error-state.tsx';
import { useFormat } from '../../i18n/format.ts';
import { useTexts } from '../../i18n/texts.ts';
import { texts } from './texts.ts';

interface ServiceKey {
  readonly id: string;
  readonly title: string;
  readonly service: string | null;
  readonly made_by: string;
  readonly hint: string;
  readonly expires_at: string;
}

type Account = Row<{ readonly team?: string }>;

export function TeamKeys({ team }: { readonly team: string }): ReactNode {
  const t = useTexts(texts);
  const format = useFormat();
  const found = useQuery({
    queryKey: ['/api/keys', 'of team', team],
    queryFn: async ({ signal }) => {
      const accounts = (await callAll<Account>('/api/service-accounts', signal)).filter(({ spec }) => spec.team === team);
      const keys = await callAll<ServiceKey>('/api/keys', signal);
      return accounts.map(({ name }) => ({ name, keys: keys.filter(({ service }) => service === name) }));
    },
  });
  if (found.error !== null) return <ErrorState error={found.error} onRetry={() => void found.refetch()} />;
  if (found.data === undefined) return <Skeleton active />;
  if (found.data.length === 0) return <EmptyState title={t('noAccounts')} help={t('noTeamAccountsHelp')} />;
  return (
    <>
      {found.data.map(({ name, keys }) => (
        <section key={name} aria-label={name}>
          <h3 translate="no">{name}</h3>
          {keys.length === 0 ? (
            <p>{t('noKeys')}</p>
          ) : (
            <ul>
              {keys.map((key) => (
                <li key={key.id}>
                  <code translate="no">{key.hint}</code> <span translate="no">{key.title}</span> · {t('keyMaker')}{' '}
                  <span translate="no">{key.made_by}</span> · {t('keyUntil', { until: format.dateTime(key.expires_at) })}
                </li>
              ))}
            </ul>
          )}
        </section>
      ))}
      <p>
        <Link to="/keys">{t('toKeys')}</Link>
      </p>
    </>
  );
}
