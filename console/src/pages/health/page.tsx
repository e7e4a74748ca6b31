/** Health: the deployments with their circuits and last day, and the nodes with the revision that each serves. */
import { useQuery } from '@tanstack/react-query';
import { Alert, Badge, Skeleton, Tag } from 'antd';
import type { ReactNode } from 'react';
import { call } from '../../api/client.ts';
import { useCan } from '../../components/can.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorState } from '../../components/error-state.tsx';
import { PageHeader } from '../../components/page-header.tsx';
import { FittingTable } from '../../components/fitting-table.tsx';
import { useFormat } from '../../i18n/format.ts';
import { useTexts } from '../../i18n/texts.ts';
import './health.css';
import { HourStrip } from './hour-strip.tsx';
import { texts } from './texts.ts';
import { type Attempts, useAttempts } from './use-attempts.ts';
import { type Hours, useHours } from './use-hours.ts';

interface Deployment {
  readonly deployment: string;
  readonly circuit: 'closed' | 'half-open' | 'open';
  readonly in_flight: number;
  readonly attempts: number;
  readonly failures: number;
  readonly first_token_ms: number | null;
  readonly probe: { readonly at: string; readonly ok: boolean | null; readonly reason: string | null; readonly latency_ms: number } | null;
}

interface Node {
  readonly id: string;
  readonly host: string | null;
  readonly version: string;
  readonly revision: number;
  readonly self: boolean;
  readonly started_at: string;
  readonly seen_ms_ago: number;
}

interface Revisions {
  readonly revision: number;
  readonly database_revision: number | null;
  readonly stale: boolean;
  readonly nodes: readonly Node[];
}

const everyMs = 5_000;
const circuitColors = { closed: 'success', 'half-open': 'warning', open: 'error' } as const;

interface DeploymentRow {
  readonly name: string;
  readonly live: Deployment | undefined;
  readonly hours: Hours;
  readonly attempts: Attempts | undefined;
}

function Deployments(): ReactNode {
  const t = useTexts(texts);
  const format = useFormat();
  const live = useQuery({
    queryKey: ['/api/health'],
    queryFn: ({ signal }) => call<{ readonly deployments: readonly Deployment[] }>('GET', '/api/health', { signal }),
    refetchInterval: everyMs,
  });
  const seesAll = useCan('administrator');
  const hours = useHours(seesAll);
  const attempts = useAttempts(seesAll);
  if (live.error !== null) return <ErrorState error={live.error} onRetry={() => void live.refetch()} />;
  if (hours.error !== null) return <ErrorState error={hours.error} onRetry={() => void hours.refetch()} />;
  if (attempts.error !== null) return <ErrorState error={attempts.error} onRetry={() => void attempts.refetch()} />;
  if (live.data === undefined || (seesAll && hours.data === undefined)) return <Skeleton active />;
  const { starts, byDeployment } = hours.data ?? { starts: [], byDeployment: new Map<string, Hours>() };
  const states = new Map(live.data.deployments.map((each) => [each.deployment, each]));
  const names = [...new Set([...states.keys(), ...byDeployment.keys(), ...(attempts.data?.keys() ?? [])])].toSorted();
  if (names.length === 0) return <EmptyState title={t('noDeployments')} help={t('noDeploymentsHelp')} />;
  const rows = names.map((name): DeploymentRow => ({
    name,
    live: states.get(name),
    hours: byDeployment.get(name) ?? new Map(),
    attempts: attempts.data?.get(name),
  }));
  return (
    <>
      <FittingTable<DeploymentRow>
        label={t('deployments')}
        width={1_100}
        rowKey="name"
        rows={rows}
        columns={[
          { title: t('deployment'), width: 230, render: ({ name }) => <code className="wrap">{name}</code> },
          {
            title: t('circuit'),
            width: 120,
            render: ({ live: state }) =>
              state === undefined ? t('idle') : <Tag color={circuitColors[state.circuit]}>{t(`circuit.${state.circuit}`)}</Tag>,
          },
          {
            title: t('failures'),
            width: 110,
            align: 'right',
            render: ({ live: state }) => state !== undefined && `${format.number(state.failures)} / ${format.number(state.attempts)}`,
          },
          {
            title: t('inFlight'),
            width: 80,
            align: 'right',
            render: ({ live: state }) => state !== undefined && format.number(state.in_flight),
          },
          {
            title: t('firstToken'),
            width: 100,
            align: 'right',
            render: ({ live: state }) => format.duration(state?.first_token_ms ?? null),
          },
          {
            title: t('probe'),
            width: 130,
            render: ({ live: state }) =>
              state?.probe == null ? (
                '–'
              ) : (
                <>
                  <Badge
                    status={state.probe.ok === null ? 'default' : state.probe.ok ? 'success' : 'error'}
                    text={format.duration(state.probe.latency_ms)}
                  />
                  <div translate="no">{state.probe.reason}</div>
                </>
              ),
          },
          // The sums of other people are for administrators.
          ...(seesAll
            ? [
                {
                  title: t('attempts'),
                  width: 120,
                  render: ({ attempts: own }: DeploymentRow) =>
                    own !== undefined && (
                      <Tag color={own.failed > 0 ? 'error' : 'success'}>
                        {t('attemptsOf', { failed: format.number(own.failed), attempts: format.number(own.attempts) })}
                      </Tag>
                    ),
                },
                {
                  title: t('day'),
                  width: 250,
                  render: ({ hours: own }: DeploymentRow) => <HourStrip hours={own} starts={starts} />,
                },
              ]
            : []),
        ]}
      />
      {seesAll && <p className="form-help">{t('legend')}</p>}
    </>
  );
}

function Nodes(): ReactNode {
  const t = useTexts(texts);
  const format = useFormat();
  const found = useQuery({
    queryKey: ['/api/config/revision'],
    queryFn: ({ signal }) => call<Revisions>('GET', '/api/config/revision', { signal }),
    refetchInterval: everyMs,
  });
  if (found.error !== null) return <ErrorState error={found.error} onRetry={() => void found.refetch()} />;
  if (found.data === undefined) return <Skeleton active />;
  const { nodes, stale, database_revision: stored, revision } = found.data;
  const wanted = stored ?? revision;
  return (
    <>
      {stale && <Alert type="warning" showIcon className="drawer-note" title={t('stale')} />}
      <FittingTable<Node>
        label={t('nodes')}
        width={720}
        rowKey="id"
        rows={nodes}
        locale={{ emptyText: t('noNodes') }}
        columns={[
          {
            title: t('node'),
            render: ({ id, host, self }) => (
              <>
                <code translate="no">{host ?? id.slice(0, 8)}</code> {self && <Tag>{t('self')}</Tag>}
              </>
            ),
          },
          { title: t('version'), render: ({ version }) => <code translate="no">{version}</code> },
          {
            title: t('revision'),
            render: (node) => (
              <Badge
                status={node.revision === wanted ? 'success' : 'warning'}
                text={node.revision === wanted ? format.number(node.revision) : t('behind', { own: node.revision, wanted })}
              />
            ),
          },
          { title: t('startedAt'), render: ({ started_at: at }) => format.dateTime(at) },
          { title: t('seen'), render: ({ seen_ms_ago: ago }) => t('ago', { duration: format.duration(ago) }) },
        ]}
      />
    </>
  );
}

export function HealthPage(): ReactNode {
  const t = useTexts(texts);
  return (
    <>
      <PageHeader title={t('title')} purpose={t('purpose')} />
      <h2 className="drawer-heading">{t('deployments')}</h2>
      <Deployments />
      <h2 className="drawer-heading">{t('nodes')}</h2>
      <Nodes />
    </>
  );
}
