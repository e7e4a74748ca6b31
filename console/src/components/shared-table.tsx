/** What other tenants share with this one: whose it is, whether it can be used here, and the way to grant it. */
import { useNavigate } from '@tanstack/react-router';
import { Tag } from 'antd';
import { type ReactNode, useMemo } from 'react';
import { usePaged } from '../api/rows.ts';
import { useTexts } from '../i18n/texts.ts';
import { ActButton } from './act-button.tsx';
import { EmptyState } from './empty-state.tsx';
import { type Price, PriceList } from './price-list.tsx';
import { type Column, ResourceTable } from './resource-table.tsx';
import { texts } from './texts.ts';

export type SharedKind = 'model' | 'skill' | 'mcp';

interface SharedRow {
  readonly capability: string;
  readonly name: string;
  /** The tenant that owns it. */
  readonly tenant: string;
  readonly description: string;
  readonly state: 'available' | 'hidden' | 'unavailable';
  /** The tenant of the row that has the name. */
  readonly hidden_by: string | null;
  readonly granted: boolean;
  readonly prices?: readonly Price[];
}

const colors = { available: 'success', hidden: 'warning', unavailable: 'error' } as const;

export function SharedTable({ kind, title }: { readonly kind: SharedKind; readonly title: string }): ReactNode {
  const t = useTexts(texts);
  const navigate = useNavigate();
  const query = usePaged<SharedRow>('/api/shared', { kind });
  const columns = useMemo((): readonly Column<SharedRow>[] => {
    const price: Column<SharedRow> = {
      key: 'price',
      title: t('shared.price'),
      width: 150,
      render: ({ prices = [] }) => <PriceList prices={prices} />,
    };
    return [
      { key: 'name', title, width: 190, fixed: 'start', render: ({ name }) => <code translate="no">{name}</code> },
      { key: 'tenant', title: t('shared.tenant'), width: 150, render: ({ tenant }) => <span translate="no">{tenant}</span> },
      { key: 'description', title: t('shared.description'), width: 230, render: (row) => <span translate="no">{row.description}</span> },
      {
        key: 'state',
        title: t('shared.state'),
        width: 190,
        render: ({ state, hidden_by: by }) => (
          <>
            <Tag color={colors[state]}>{t(`shared.${state}`)}</Tag>
            {by !== null && (
              <div>
                {t('shared.hiddenBy')} <span translate="no">{by}</span>
              </div>
            )}
          </>
        ),
      },
      ...(kind === 'model' ? [price] : []),
      {
        key: 'granted',
        title: t('shared.granted'),
        width: 130,
        render: ({ granted }) => <Tag color={granted ? 'success' : 'default'}>{t(granted ? 'shared.isGranted' : 'shared.notGranted')}</Tag>,
      },
      {
        key: 'grant',
        title: t('shared.action'),
        width: 90,
        fixed: 'end',
        render: ({ capability, state }) =>
          state === 'available' && (
            <ActButton
              size="small"
              aria-label={`${t('grantGive')}: ${capability}`}
              onClick={() => void navigate({ to: '/access', search: { add: 'yes', for: capability } })}
            >
              {t('grantGive')}
            </ActButton>
          ),
      },
    ];
  }, [t, navigate, kind, title]);
  return (
    <ResourceTable
      label={t('shared.theirs')}
      query={query}
      columns={columns}
      rowKey={({ tenant, capability }) => `${tenant} ${capability}`}
      textOf={({ name, tenant, description }) => `${name} ${tenant} ${description}`}
      empty={<EmptyState title={t('shared.emptyTitle')} help={t('shared.emptyHelp')} />}
    />
  );
}
