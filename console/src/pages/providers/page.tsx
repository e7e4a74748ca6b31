/** Providers: the list, and one provider in a drawer beside it. */
import { PlusOutlined } from '@ant-design/icons';
import { Button, Tag } from 'antd';
import { type ReactNode, useMemo } from 'react';
import { type Row, usePaged } from '../../api/rows.ts';
import { Can } from '../../components/can.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { KindTitle } from '../../components/kind-title.tsx';
import { PageHeader } from '../../components/page-header.tsx';
import { type Column, ResourceTable } from '../../components/resource-table.tsx';
import { RowName } from '../../components/row-name.tsx';
import { RowState } from '../../components/row-state.tsx';
import { useSearchState } from '../../components/search-state.ts';
import { useFormat } from '../../i18n/format.ts';
import { useTexts } from '../../i18n/texts.ts';
import { ProviderDrawer } from './provider-drawer.tsx';
import type { ProviderSpec } from './provider-spec.ts';
import { texts } from './texts.ts';

type ProviderRow = Row<ProviderSpec>;

export function ProvidersPage(): ReactNode {
  const t = useTexts(texts);
  const format = useFormat();
  const [{ open, add }, setSearch] = useSearchState('open', 'add');
  const query = usePaged<ProviderRow>('/api/providers');

  const columns = useMemo(
    (): readonly Column<ProviderRow>[] => [
      {
        key: 'name',
        title: t('title'),
        width: 190,
        fixed: 'start',
        render: (row) => <RowName row={row} onOpen={() => setSearch({ open: row.name, add: undefined })} />,
      },
      {
        key: 'kind',
        title: t('kind'),
        width: 170,
        render: ({ spec }) => (
          <Tag>
            <KindTitle type="provider" kind={spec.kind} />
          </Tag>
        ),
      },
      {
        key: 'address',
        title: t('address'),
        width: 230,
        render: ({ spec }) => <code translate="no">{typeof spec.options?.['base_url'] === 'string' ? spec.options['base_url'] : ''}</code>,
      },
      {
        key: 'owner',
        title: t('owner'),
        width: 140,
        render: ({ owner }) => (owner === null ? t('shared') : <span translate="no">{owner}</span>),
      },
      { key: 'changed', title: t('changed'), width: 165, render: (row) => format.dateTime(row.updated_at) },
      { key: 'state', title: t('state'), width: 105, fixed: 'end', render: (row) => <RowState row={row} /> },
    ],
    [t, format, setSearch],
  );

  const addButton = (
    <Can right="llm:model:manage">
      <Button type="primary" icon={<PlusOutlined />} onClick={() => setSearch({ add: 'yes', open: undefined })}>
        {t('add')}
      </Button>
    </Can>
  );
  return (
    <>
      <PageHeader title={t('title')} purpose={t('purpose')} actions={addButton} />
      <ResourceTable
        label={t('title')}
        query={query}
        columns={columns}
        rowKey={({ id }) => id}
        textOf={({ name, spec }) => `${name} ${spec.kind}`}
        empty={<EmptyState title={t('emptyTitle')} help={t('emptyHelp')} action={addButton} />}
      />
      {(open !== undefined || add !== undefined) && (
        <ProviderDrawer key={open ?? 'new'} name={open ?? null} onClose={() => setSearch({ open: undefined, add: undefined })} />
      )}
    </>
  );
}
