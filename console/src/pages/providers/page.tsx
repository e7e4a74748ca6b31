/** Providers: the list, and one provider in a drawer beside it. */
import { type ReactNode, useMemo } from 'react';
import { type Row, usePaged } from '../../api/rows.ts';
import { AddButton } from '../../components/add-button.tsx';
import { Can } from '../../components/can.tsx';
import { ResourcePage } from '../../components/resource-page.tsx';
import type { Column } from '../../components/resource-table.tsx';
import { changedColumn, kindColumn, nameColumn, stateColumn } from '../../components/row-columns.tsx';
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
      nameColumn(t('title'), 190, (row) => setSearch({ open: row.name, add: undefined })),
      kindColumn(t('kind'), 'provider', 170),
      {
        key: 'address',
        title: t('address'),
        width: 230,
        render: ({ spec }) => <code translate="no">{typeof spec.options?.['base_url'] === 'string' ? spec.options['base_url'] : '–'}</code>,
      },
      {
        key: 'owner',
        title: t('owner'),
        width: 140,
        render: ({ owner }) => (owner === null ? t('shared') : <span translate="no">{owner}</span>),
      },
      changedColumn(t('changed'), format),
      stateColumn(t('state')),
    ],
    [t, format, setSearch],
  );

  const addButton = (
    <Can right="llm:model:manage">
      <AddButton text={t('add')} onAdd={() => setSearch({ add: 'yes', open: undefined })} />
    </Can>
  );
  return (
    <ResourcePage
      title={t('title')}
      purpose={t('purpose')}
      actions={addButton}
      emptyTitle={t('emptyTitle')}
      emptyHelp={t('emptyHelp')}
      query={query}
      columns={columns}
      textOf={({ name, spec }) => `${name} ${spec.kind}`}
    >
      {(open !== undefined || add !== undefined) && (
        <ProviderDrawer key={open ?? 'new'} name={open ?? null} onClose={() => setSearch({ open: undefined, add: undefined })} />
      )}
    </ResourcePage>
  );
}
