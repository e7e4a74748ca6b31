/** A page that is one list: its header, the table of its rows, and the drawer beside it. */
import { Segmented } from 'antd';
import type { ReactNode } from 'react';
import { useTexts } from '../i18n/texts.ts';
import { useCan } from './can.tsx';
import { EmptyState } from './empty-state.tsx';
import { PageHeader } from './page-header.tsx';
import { ResourceTable, type ResourceTableProps } from './resource-table.tsx';
import { useSearchState } from './search-state.ts';
import { type SharedKind, SharedTable } from './shared-table.tsx';
import { texts } from './texts.ts';

interface ResourcePageProps<T> extends Omit<ResourceTableProps<T>, 'label' | 'rowKey' | 'empty'> {
  readonly title: string;
  readonly purpose: string;
  readonly actions: ReactNode;
  readonly emptyTitle: string;
  readonly emptyHelp: string;
  /** The next step while there are no rows; without it, the actions of the page. */
  readonly emptyAction?: ReactNode;
  /** Between the header and the table. */
  readonly summary?: ReactNode;
  /** Administrators choose between the rows of their tenant and those of this kind that other tenants share with it. */
  readonly sharedKind?: SharedKind;
  /** The drawer, when one is open. */
  readonly children: ReactNode;
}

export function ResourcePage<T extends { readonly id: string }>(props: ResourcePageProps<T>): ReactNode {
  const { title, purpose, actions, emptyTitle, emptyHelp, emptyAction = actions, summary, sharedKind, children, ...table } = props;
  const t = useTexts(texts);
  const [{ from }, setSearch] = useSearchState('from');
  const isAdministrator = useCan('administrator');
  const offered = isAdministrator ? sharedKind : undefined;
  const isShared = offered !== undefined && from === 'shared';
  return (
    <>
      <PageHeader title={title} purpose={purpose} actions={actions} />
      {summary}
      {offered !== undefined && (
        <div className="table-tools">
          <Segmented
            aria-label={t('shared.whose')}
            value={isShared ? 'shared' : 'own'}
            options={[
              { value: 'own', label: t('shared.own') },
              { value: 'shared', label: t('shared.theirs') },
            ]}
            onChange={(next) => setSearch({ from: next === 'shared' ? next : undefined })}
          />
        </div>
      )}
      {isShared ? (
        <SharedTable kind={offered} title={title} />
      ) : (
        <ResourceTable
          {...table}
          label={title}
          rowKey={({ id }) => id}
          empty={<EmptyState title={emptyTitle} help={emptyHelp} action={emptyAction} />}
        />
      )}
      {children}
    </>
  );
}
