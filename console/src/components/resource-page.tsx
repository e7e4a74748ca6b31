/** A page that is one list: its header, the table of its rows, and the drawer beside it. */
import type { ReactNode } from 'react';
import { EmptyState } from './empty-state.tsx';
import { PageHeader } from './page-header.tsx';
import { ResourceTable, type ResourceTableProps } from './resource-table.tsx';

interface ResourcePageProps<T> extends Omit<ResourceTableProps<T>, 'label' | 'rowKey' | 'empty'> {
  readonly title: string;
  readonly purpose: string;
  readonly actions: ReactNode;
  readonly emptyTitle: string;
  readonly emptyHelp: string;
  /** The next step while there are no rows; without it, the actions of the page. */
  readonly emptyAction?: ReactNode;
  /** The drawer, when one is open. */
  readonly children: ReactNode;
}

export function ResourcePage<T extends { readonly id: string }>(props: ResourcePageProps<T>): ReactNode {
  const { title, purpose, actions, emptyTitle, emptyHelp, emptyAction = actions, children, ...table } = props;
  return (
    <>
      <PageHeader title={title} purpose={purpose} actions={actions} />
      <ResourceTable
        {...table}
        label={title}
        rowKey={({ id }) => id}
        empty={<EmptyState title={emptyTitle} help={emptyHelp} action={emptyAction} />}
      />
      {children}
    </>
  );
}
