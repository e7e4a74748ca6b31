/** The service accounts: subjects that are no people, with roles of their own or of a team. They call with keys. */
import { type ReactNode, useMemo } from 'react';
import { type Row, type Spec, usePaged } from '../../api/rows.ts';
import { AddButton } from '../../components/add-button.tsx';
import { EmptyState } from '../../components/empty-state.tsx';
import { ResourceDrawer } from '../../components/resource-drawer.tsx';
import { type Column, ResourceTable } from '../../components/resource-table.tsx';
import { changedColumn, nameColumn, stateColumn } from '../../components/row-columns.tsx';
import { useSearchState } from '../../components/search-state.ts';
import { useFormat } from '../../i18n/format.ts';
import { useTexts } from '../../i18n/texts.ts';
import { texts } from './texts.ts';

interface AccountSpec extends Spec {
  readonly description: string;
  readonly roles: readonly string[];
  readonly team?: string;
}

const initial = { name: '', enabled: true, spec: {} };

export function AccountsTab(): ReactNode {
  const t = useTexts(texts);
  const format = useFormat();
  const [{ open, add }, setSearch] = useSearchState('open', 'add');
  const query = usePaged<Row<AccountSpec>>('/api/service-accounts');
  const columns = useMemo(
    (): readonly Column<Row<AccountSpec>>[] => [
      nameColumn(t('account'), 170, (row) => setSearch({ open: row.name, add: undefined })),
      { key: 'team', title: t('team'), width: 150, render: ({ spec }) => <span translate="no">{spec.team}</span> },
      { key: 'roles', title: t('roles'), width: 200, render: ({ spec }) => <span translate="no">{spec.roles.join(', ')}</span> },
      { key: 'description', title: t('description'), width: 250, render: ({ spec }) => <span translate="no">{spec.description}</span> },
      changedColumn(t('changed'), format),
      stateColumn(t('state')),
    ],
    [t, format, setSearch],
  );
  return (
    <>
      <p>
        <AddButton text={t('addAccount')} onAdd={() => setSearch({ add: 'yes', open: undefined })} />
      </p>
      <ResourceTable
        label={t('accounts')}
        query={query}
        columns={columns}
        rowKey={({ id }) => id}
        textOf={({ name, spec }) => `${name} ${spec.team ?? ''} ${spec.roles.join(' ')}`}
        empty={<EmptyState title={t('noAccounts')} help={t('noAccountsHelp')} />}
      />
      {(open !== undefined || add !== undefined) && (
        <ResourceDrawer
          key={open ?? 'new'}
          collection="service-accounts"
          name={open ?? null}
          title={open ?? t('addAccount')}
          initial={initial}
          onClose={() => setSearch({ open: undefined, add: undefined })}
        />
      )}
    </>
  );
}
