/** The connection to a service: last listing, problems, processes and sessions on this node. */
import { SyncOutlined } from '@ant-design/icons';
import { Alert, Badge, Skeleton } from 'antd';
import type { ReactNode } from 'react';
import { ActButton } from '../../components/act-button.tsx';
import { ErrorState } from '../../components/error-state.tsx';
import { FactList } from '../../components/fact-list.tsx';
import { FittingTable } from '../../components/fitting-table.tsx';
import { useFormat } from '../../i18n/format.ts';
import { useTexts } from '../../i18n/texts.ts';
import { type McpHealth, sync, useHealth, useServerAct } from './mcp-api.ts';
import { texts } from './texts.ts';

type Connection = McpHealth['connections'][number];
const megabyte = 1_000_000;

export function StateTab({ server }: { readonly server: string }): ReactNode {
  const t = useTexts(texts);
  const format = useFormat();
  const health = useHealth(server);
  const listing = useServerAct(() => sync(server));
  if (health.error !== null) return <ErrorState error={health.error} onRetry={() => void health.refetch()} />;
  if (health.data === undefined) return <Skeleton active />;
  const { tools, quarantined, synced_at: syncedAt, error, problems, connections } = health.data;
  return (
    <>
      <FactList
        facts={[
          [
            t('state'),
            <Badge key="state" status={error === null ? 'success' : 'error'} text={t(error === null ? 'reachable' : 'unreachable')} />,
          ],
          [t('syncedAt'), format.dateTime(syncedAt)],
          [t('toolCount'), format.number(tools)],
          [t('quarantined'), format.number(quarantined)],
        ]}
      />
      <p>
        <ActButton icon={<SyncOutlined aria-hidden />} loading={listing.isPending} onClick={() => listing.mutate(undefined)}>
          {t('sync')}
        </ActButton>
      </p>
      {listing.error !== null && <ErrorState error={listing.error} />}
      {problems.length > 0 && (
        <Alert
          type="warning"
          showIcon
          className="drawer-note"
          title={t('problems')}
          description={
            <ul className="plain-list" translate="no">
              {problems.map((problem) => (
                <li key={problem}>{problem}</li>
              ))}
            </ul>
          }
        />
      )}
      <FittingTable<Connection>
        label={t('connections')}
        width={560}
        rowKey={({ subject, since, pid }) => `${subject} ${since} ${pid}`}
        rows={connections}
        locale={{ emptyText: t('noConnections') }}
        columns={[
          {
            title: t('connections'),
            render: ({ subject }) => (subject === null ? t('shared') : <span translate="no">{subject}</span>),
          },
          { title: t('protocol'), render: ({ protocol }) => <code translate="no">{protocol ?? '–'}</code> },
          { title: t('process'), render: ({ pid }) => <code translate="no">{pid ?? '–'}</code> },
          {
            title: t('memory'),
            align: 'right',
            render: ({ memory_bytes: bytes }) => (bytes === null ? '–' : `${format.number(Math.round(bytes / megabyte))} MB`),
          },
          { title: t('since'), render: ({ since }) => format.dateTime(since) },
          { title: t('underWay'), align: 'right', render: ({ calls_under_way: count }) => format.number(count) },
        ]}
      />
    </>
  );
}
