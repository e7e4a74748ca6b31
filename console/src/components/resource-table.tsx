/** The one table: dense, virtual, loaded page by page by keyset, filtered by name, with one error and one empty state. */
import { Button, Grid, Input, Skeleton, Table, type TableColumnType } from 'antd';
import { type ReactNode, useCallback, useEffect, useMemo, useState } from 'react';
import type { PagedQuery } from '../api/rows.ts';
import { useTexts } from '../i18n/texts.ts';
import { ErrorState } from './error-state.tsx';
import { StackedRow } from './stacked-row.tsx';
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
  /** For a table in a drawer: on a phone, each row is a list of its fields, and nothing scrolls sideways. */
  readonly isInDrawer?: boolean;
}

const widestPinned = 150;
const narrowestStacked = 200;

/** A list is loaded as its reader scrolls. A filter needs all of it; after an error it waits for the button that tries again. */
function useWholeList<T>(query: PagedQuery<T>, wanted: boolean): void {
  const { hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage } = query;
  useEffect(() => {
    if (wanted && hasNextPage && !isFetchingNextPage && !isFetchNextPageError) void fetchNextPage();
  }, [wanted, hasNextPage, isFetchingNextPage, isFetchNextPageError, fetchNextPage]);
}

export function ResourceTable<T extends object>(props: ResourceTableProps<T>): ReactNode {
  const { query, columns, rowKey, textOf, empty, label, isInDrawer = false } = props;
  const t = useTexts(texts);
  const [filter, setFilter] = useState('');
  const slow = useDelayed(query.isPending, 200);
  const [frame, setFrame] = useState<HTMLDivElement | null>(null);
  const height = useTableHeight(frame);
  const rows = useMemo(() => query.data?.pages.flatMap(({ data }) => data) ?? [], [query.data]);
  const wanted = filter.trim().toLowerCase();
  useWholeList(query, wanted !== '');
  const shown = useMemo(
    () => (wanted === '' || textOf === undefined ? rows : rows.filter((row) => textOf(row).toLowerCase().includes(wanted))),
    [rows, wanted, textOf],
  );
  const { md: isWide = true } = Grid.useBreakpoint();
  const widthOf = useCallback(
    // On a phone the pinned name must leave room for what scrolls beside it.
    ({ width, fixed }: Column<T>): number => (isWide || fixed !== 'start' ? width : Math.min(width, widestPinned)),
    [isWide],
  );
  const isStacked = isInDrawer && !isWide;
  const tableColumns = useMemo(() => {
    if (isStacked) {
      const fields = (row: T) => columns.map(({ title, render }) => [title, render(row)] as const);
      return [{ key: 'row', title: label, render: (_value: unknown, row: T) => <StackedRow fields={fields(row)} /> }];
    }
    return columns.map((column): TableColumnType<T> => ({
      key: column.key,
      title: column.title,
      width: widthOf(column),
      ...(column.fixed === undefined ? {} : { fixed: column.fixed }),
      ...(column.align === undefined ? {} : { align: column.align }),
      render: (_value, row) => column.render(row),
    }));
  }, [columns, widthOf, isStacked, label]);

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
      <div ref={setFrame}>
        <Table<T>
          virtual
          size="small"
          pagination={false}
          aria-label={label}
          columns={tableColumns}
          dataSource={shown}
          rowKey={rowKey}
          loading={query.isFetchingNextPage}
          scroll={{ x: isStacked ? narrowestStacked : columns.reduce((sum, column) => sum + widthOf(column), 0), y: height }}
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
