/** A small table. On a phone each row is a list of its fields, so that nothing scrolls sideways; between, it scrolls in its frame, also by keyboard. */
import { Grid, Table, type TableProps } from 'antd';
import type { ReactNode } from 'react';
import { StackedRow } from './stacked-row.tsx';

export interface FittingColumn<T> {
  readonly title: string;
  readonly width?: number | string;
  readonly align?: 'right';
  readonly render: (row: T, index: number) => ReactNode;
}

interface FittingTableProps<T> extends Pick<
  TableProps<T>,
  'rowKey' | 'className' | 'locale' | 'expandable' | 'rowSelection' | 'pagination'
> {
  readonly label: string;
  /** The width in pixels below which it scrolls. */
  readonly width: number;
  readonly rows: readonly T[];
  readonly columns: readonly FittingColumn<T>[];
}

export function FittingTable<T extends object>({ label, width, rows, columns, ...table }: FittingTableProps<T>): ReactNode {
  const { md: isWide = true } = Grid.useBreakpoint();
  const given = { size: 'small' as const, pagination: false as const, ...table, dataSource: [...rows] };
  if (!isWide) {
    const column = {
      key: 'row',
      title: label,
      render: (_value: unknown, row: T, index: number) => (
        <StackedRow fields={columns.map(({ title, render }) => [title, render(row, index)])} />
      ),
    };
    const { expandable, rowSelection } = table;
    const narrow = expandable === undefined ? {} : { expandable: { ...expandable, columnWidth: 32 } };
    // The fields name themselves; the box that chooses all rows is in the header.
    return <Table<T> {...given} {...narrow} showHeader={rowSelection !== undefined} aria-label={label} columns={[column]} />;
  }
  return (
    // oxlint-disable-next-line jsx-a11y/no-noninteractive-tabindex -- what scrolls must be reachable by keyboard
    <section className="scroll-frame" aria-label={label} tabIndex={0}>
      <div style={{ minWidth: width }}>
        <Table<T>
          {...given}
          columns={columns.map(({ render, ...column }) => ({
            ...column,
            key: column.title,
            render: (_value: unknown, row: T, index: number) => render(row, index),
          }))}
        />
      </div>
    </section>
  );
}
