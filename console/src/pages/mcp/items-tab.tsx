/** What a service offers: switched per tool, and quarantined where a definition has changed until a person approves it. */
import { CheckOutlined } from '@ant-design/icons';
import { Alert, Skeleton, Switch, Tag } from 'antd';
import type { ReactNode } from 'react';
import type { Row } from '../../api/rows.ts';
import { ActButton } from '../../components/act-button.tsx';
import { DifferencesTable } from '../../components/differences-table.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { ErrorState } from '../../components/error-state.tsx';
import { FittingTable } from '../../components/fitting-table.tsx';
import { useTexts } from '../../i18n/texts.ts';
import { approve, type McpItem, switchTool, useItems, useServerAct } from './mcp-api.ts';
import { texts } from './texts.ts';

const colors = { approved: 'success', changed: 'warning', new: 'processing' } as const;
const keyOf = ({ kind, name }: McpItem): string => `${kind} ${name}`;

/** A new definition has no approved one to compare with: all of it is new. */
function Review({ item }: { readonly item: McpItem }): ReactNode {
  const t = useTexts(texts);
  const all = Object.entries(item.seen_definition ?? item.definition ?? {});
  const differences =
    item.state === 'changed'
      ? item.differences
      : all.map(([path, after]) => ({ path: `/${path}`, before: undefined, after: after as unknown }));
  return <DifferencesTable differences={differences} before={t('approvedOne')} after={t('seenOne')} />;
}

interface ItemsTabProps {
  readonly row: Row;
  readonly canChange: boolean;
}

export function ItemsTab({ row, canChange }: ItemsTabProps): ReactNode {
  const t = useTexts(texts);
  const server = row.name;
  const items = useItems(server);
  const approval = useServerAct((wanted: readonly McpItem[]) => approve(server, wanted));
  const toggle = useServerAct(({ tool, enabled }: { readonly tool: string; readonly enabled: boolean }) =>
    switchTool(server, tool, enabled),
  );
  if (items.error !== null) return <ErrorState error={items.error} onRetry={() => void items.refetch()} />;
  if (items.data === undefined) return <Skeleton active />;
  if (items.data.length === 0) return <EmptyState title={t('noItems')} help={t('noItemsHelp')} />;
  const waiting = items.data.filter(({ state }) => state !== 'approved');
  const failure = approval.error ?? toggle.error;
  return (
    <>
      {waiting.length > 0 && (
        <Alert
          type="warning"
          showIcon
          className="drawer-note"
          title={t('waiting', { count: waiting.length })}
          description={t('waitingHelp')}
        />
      )}
      {failure !== null && <ErrorState error={failure} />}
      <FittingTable<McpItem>
        label={t('items')}
        width={680}
        rowKey={keyOf}
        rows={[...waiting, ...items.data.filter(({ state }) => state === 'approved')]}
        expandable={{
          rowExpandable: ({ state }) => state !== 'approved',
          defaultExpandedRowKeys: waiting.slice(0, 3).map(keyOf),
          expandedRowRender: (item) => <Review item={item} />,
        }}
        columns={[
          { title: t('kind'), width: 80, render: ({ kind }) => t(`item.${kind}`) },
          {
            title: t('name'),
            width: 320,
            render: ({ name, definition, seen_definition: seen }) => (
              <div translate="no">
                <code className="wrap">{name}</code>
                <div className="mcp-description">{(definition ?? seen)?.description}</div>
              </div>
            ),
          },
          {
            title: t('state'),
            width: 130,
            render: ({ state, present }) => (
              <>
                <Tag color={colors[state]}>{t(`state.${state}`)}</Tag>
                {!present && <Tag>{t('gone')}</Tag>}
              </>
            ),
          },
          {
            title: t('actions'),
            width: 130,
            render: (item) =>
              item.state === 'approved'
                ? item.kind === 'tool' && (
                    <Switch
                      size="small"
                      checked={item.enabled}
                      disabled={!canChange || toggle.isPending}
                      aria-label={`${t('enabled')}: ${item.name}`}
                      onChange={(enabled) => toggle.mutate({ tool: item.name, enabled })}
                    />
                  )
                : row.partial !== true && (
                    <ActButton
                      size="small"
                      type="primary"
                      icon={<CheckOutlined aria-hidden />}
                      loading={approval.isPending}
                      aria-label={`${t('approve')}: ${item.name}`}
                      onClick={() => approval.mutate([item])}
                    >
                      {t('approve')}
                    </ActButton>
                  ),
          },
        ]}
      />
    </>
  );
}
