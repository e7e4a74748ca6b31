/** Routing: the chain of a model as a picture, and a dry run that says in which order this node would try. */
import { useQuery } from '@tanstack/react-query';
import { Form, Skeleton, Tag } from 'antd';
import { type ReactNode, useState } from 'react';
import { call } from '../../api/client.ts';
import type { Spec } from '../../api/rows.ts';
import { ActButton } from '../../components/act-button.tsx';
import { ActForm } from '../../components/act-form.tsx';
import { useCanAct } from '../../components/can.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorState } from '../../components/error-state.tsx';
import { useModelNames } from '../../components/model-names.ts';
import { PageHeader } from '../../components/page-header.tsx';
import { JsonControl } from '../../components/schema-form/json-control.tsx';
import { ReferenceControl } from '../../components/schema-form/reference-control.tsx';
import { FittingTable } from '../../components/fitting-table.tsx';
import { useSearchState } from '../../components/search-state.ts';
import { useFormat } from '../../i18n/format.ts';
import { useTexts } from '../../i18n/texts.ts';
import { ChainPicture } from './chain-picture.tsx';
import type { Candidate, Route } from './route.ts';
import './routing.css';
import { texts } from './texts.ts';

function Order({ route }: { readonly route: Route }): ReactNode {
  const t = useTexts(texts);
  const format = useFormat();
  return (
    <FittingTable<Candidate>
      label={t('order')}
      width={760}
      rowKey="deployment"
      rows={route.candidates}
      columns={[
        { title: t('place'), width: 70, align: 'right', render: (_row, index) => format.number(index + 1) },
        { title: t('deployment'), render: ({ deployment }) => <code className="wrap">{deployment}</code> },
        {
          title: t('takesCalls'),
          width: 120,
          render: ({ takes_calls: takes }) => <Tag color={takes ? 'success' : 'error'}>{t(takes ? 'takes' : 'skipped')}</Tag>,
        },
        { title: t('tierOf'), width: 90, render: ({ tier }) => t('tier', { tier }) },
        { title: t('reason'), render: ({ takes_calls: takes, reason }) => !takes && <span translate="no">{reason}</span> },
        { title: t('inFlight'), width: 90, align: 'right', render: ({ in_flight: count }) => format.number(count) },
        { title: t('firstToken'), width: 110, align: 'right', render: ({ first_token_ms: ms }) => format.duration(ms) },
      ]}
    />
  );
}

export function RoutingPage(): ReactNode {
  const t = useTexts(texts);
  const canAct = useCanAct();
  const [search, setSearch] = useSearchState('model');
  const { names } = useModelNames();
  // The page begins with the chain of a model, so that its reader sees what it is for.
  const model = search.model ?? names.find((name) => !name.startsWith('skill/'));
  const [typed, setTyped] = useState(search.model);
  const [request, setRequest] = useState<Spec>({});
  const [asked, setAsked] = useState<Spec>({});
  const route = useQuery({
    queryKey: ['/api/route/explain', model, asked],
    queryFn: ({ signal }) => call<Route>('POST', '/api/route/explain', { body: { ...asked, model }, signal }),
    enabled: canAct && model !== undefined,
  });
  return (
    <>
      <PageHeader title={t('title')} purpose={t('purpose')} />
      <ActForm
        layout="vertical"
        className="explain-form"
        onFinish={() => {
          setAsked(request);
          setSearch({ model: typed ?? model });
        }}
      >
        <Form.Item label={t('model')} htmlFor="route-model" required>
          <ReferenceControl
            id="route-model"
            aria-label={t('model')}
            disabled={false}
            reference="model"
            value={typed ?? model ?? ''}
            onChange={setTyped}
          />
        </Form.Item>
        <Form.Item label={t('request')} htmlFor="route-request" extra={t('requestHelp')}>
          <JsonControl
            id="route-request"
            aria-label={t('request')}
            disabled={false}
            value={undefined}
            onChange={(next) => setRequest(typeof next === 'object' && next !== null ? (next as Spec) : {})}
          />
        </Form.Item>
        <Form.Item>
          <ActButton type="primary" htmlType="submit" disabled={(typed ?? model ?? '') === ''} loading={route.isFetching}>
            {t('run')}
          </ActButton>
        </Form.Item>
      </ActForm>
      {route.error !== null && <ErrorState error={route.error} />}
      {model === undefined && <EmptyState title={t('emptyTitle')} help={t('emptyHelp')} />}
      {!canAct && <EmptyState title={t('readOnly')} />}
      {canAct && model !== undefined && route.isPending && <Skeleton active />}
      {route.data !== undefined && (
        <>
          <h2 className="drawer-heading">{t('chain')}</h2>
          <ChainPicture route={route.data} />
          <h2 className="drawer-heading">{t('order')}</h2>
          <Order route={route.data} />
        </>
      )}
    </>
  );
}
