/** The grants: who was given what, until when. */
import { Button, Tag } from 'antd';
import { type ReactNode, useMemo } from 'react';
import { type Row, type Spec, usePaged } from '../../api/rows.ts';
import { EmptyState } from '../../components/empty-state.tsx';
import { ResourceDrawer } from '../../components/resource-drawer.tsx';
import { type Column, ResourceTable } from '../../components/resource-table.tsx';
import { changedColumn, stateColumn } from '../../components/row-columns.tsx';
import { useSearchState } from '../../components/search-state.ts';
import { useFormat } from '../../i18n/format.ts';
import { useTexts } from '../../i18n/texts.ts';
import { texts } from './texts.ts';

interface GrantSpec extends Spec {
  readonly subject_type: 'user' | 'role' | 'team' | 'client';
  readonly subject: string;
  readonly capability: string;
  readonly action: 'view' | 'use';
  readonly expires_at?: string | null;
}

/** What a new grant starts with. `capability` is named by the address, as by the page of what other tenants share. */
const initialOf = (capability: string | undefined) => ({
  name: '',
  enabled: true,
  spec: { subject_type: 'role', action: 'use', ...(capability === undefined ? {} : { capability }) },
});

export function GrantsTab(): ReactNode {
  const t = useTexts(texts);
  const format = useFormat();
  const [{ open, add, for: capability }, setSearch] = useSearchState('open', 'add', 'for');
  const query = usePaged<Row<GrantSpec>>('/api/grants');

  const columns = useMemo(
    (): readonly Column<Row<GrantSpec>>[] => [
      {
        key: 'subject',
        title: t('subject'),
        width: 210,
        fixed: 'start',
        render: ({ name, spec }) => (
          <>
            <Tag>{t(`subject.${spec.subject_type}`)}</Tag>{' '}
            <Button type="link" size="small" className="row-name" translate="no" onClick={() => setSearch({ open: name, add: undefined })}>
              {spec.subject}
            </Button>
          </>
        ),
      },
      { key: 'action', title: t('action'), width: 90, render: ({ spec }) => t(`action.${spec.action}`) },
      { key: 'capability', title: t('capability'), width: 250, render: ({ spec }) => <code translate="no">{spec.capability}</code> },
      {
        key: 'expires',
        title: t('expires'),
        width: 170,
        render: ({ spec }) => (spec.expires_at == null ? t('never') : format.dateTime(spec.expires_at)),
      },
      { key: 'by', title: t('by'), width: 120, render: (row) => <span translate="no">{row.updated_by}</span> },
      changedColumn(t('changed'), format),
      stateColumn(t('state')),
    ],
    [t, format, setSearch],
  );
  const close = (): void => setSearch({ open: undefined, add: undefined, for: undefined });
  return (
    <>
      <ResourceTable
        label={t('grants')}
        query={query}
        columns={columns}
        rowKey={({ id }) => id}
        textOf={({ spec }) => `${spec.subject_type} ${spec.subject} ${spec.capability} ${spec.action}`}
        empty={<EmptyState title={t('noGrants')} help={t('noGrantsHelp')} />}
      />
      {(open !== undefined || add !== undefined) && (
        <ResourceDrawer
          key={open ?? 'new'}
          collection="grants"
          name={open ?? null}
          title={open ?? t('grant')}
          initial={initialOf(capability)}
          onClose={close}
        />
      )}
    </>
  );
}
