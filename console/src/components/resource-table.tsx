/** The one table: dense, virtual, loaded page by page by keyset, filtered by name, with one error and one empty state. */
import { Button, Input, Skeleton, Table, type TableColumnType } from 'antd';
import { type ReactNode, useEffect, useMemo, useRef, useState } from 'react';
import type { PagedQuery } from '../api/rows.ts';
import { useTexts } from '../i18n/texts.ts';
import { ErrorState } from './error-state.tsx';
import { texts } from './texts.ts';
import { useDelayed } from './use-delayed.ts';
import { useTableHeight } from './use-table-height.ts';

export interface Column<T> {
  readonly key: string;
  readonly title: string;
  readonly width: number;
  readonly render: (row: T) => ReactNode;
  readonly fixed?: 'start' | 'end';
  readonly align?: 'right';
}

export interface ResourceTableProps<T> {
  readonly query: PagedQuery<T>;
  readonly columns: readonly Column<T>[];
  readonly rowKey: (row: T) => string;
  /** The searched text of a row. Leave it out for a table without a filter field. */
  readonly textOf?: (row: T) => string;
  /** In place of the table while the list has no rows. */
  readonly empty: ReactNode;
  readonly label: string;
}

/** A list is loaded as its reader scrolls. A filter needs all of it; after an error it waits for the button that tries again. */
function useWholeList<T>(query: PagedQuery<T>, wanted: boolean): void {
  const { hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage } = query;
  useEffect(() => {
    if (wanted && hasNextPage && !isFetchingNextPage && !isFetchNextPageError) void fetchNextPage();
  }, [wanted, hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage]);
}

export function ResourceTable<T extends object>(props: ResourceTableProps<T>): ReactNode {
  const { query, columns, rowKey, textOf, empty, label } = props;
  const t = useTexts(texts);
  const [filter, setFilter] = useState('');
  const slow = useDelayed(query.isPending, 200);
  const frame = useRef<HTMLDivElement>(null);
  const height = useTableHeight(frame);
  const rows = useMemo(() => query.data?.pages.flatMap(({ data }) => data) ?? [], [query.data]);
  const wanted = filter.trim().toLowerCase();
  useWholeList(query, wanted !== '');
  const shown = useMemo(
    () => (wanted === '' || textOf === undefined ? rows : rows.filter((row) => textOf(row).toLowerCase().includes(wanted))),
    [rows, wanted, textOf],
  );
  const tableColumns = useMemo(
    () =>
      columns.map(({ key, title, width, render, fixed, align }): TableColumnType<T> => ({
        key,
        title,
        width,
        ...(fixed === undefined ? {} : { fixed }),
        ...(align === undefined ? {} : { align }),
        render: (_value, row) => render(row),
      })),
    [columns],
  );

  const loadMore = (): void => {
    if (query.hasNextPage && !query.isFetchingNextPage) void query.fetchNextPage();
  };
  if (query.isPending) return slow ? <Skeleton active paragraph={{ rows: 6 }} /> : null;
  // What was loaded before stays visible below the error.
  const failure = query.error === null ? null : <ErrorState error={query.error} onRetry={() => void query.refetch()} />;
  if (rows.length === 0) return failure ?? empty;
  return (
    <div className="resource-table">
      {failure}
      {textOf !== undefined && (
        <div className="table-tools">
          <Input
            allowClear
            type="search"
            className="table-filter"
            placeholder={t('filter')}
            aria-label={t('filter')}
            value={filter}
            onChange={({ target }) => setFilter(target.value)}
          />
        </div>
      )}
      <div ref={frame}>
        <Table<T>
          virtual
          size="small"
          pagination={false}
          aria-label={label}
          columns={tableColumns}
          dataSource={shown}
          rowKey={rowKey}
          loading={query.isFetchingNextPage}
          scroll={{ x: columns.reduce((sum, { width }) => sum + width, 0), y: height }}
          locale={{ emptyText: t('noMatch') }}
          onScroll={({ currentTarget }) => {
            if (currentTarget.scrollHeight - currentTarget.scrollTop - currentTarget.clientHeight < height) loadMore();
          }}
        />
      </div>
      {query.hasNextPage && wanted === '' && (
        <Button type="text" onClick={loadMore} loading={query.isFetchingNextPage}>
          {t('loadMore')}
        </Button>
      )}
    </div>
  );
}
