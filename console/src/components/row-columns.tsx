/** The columns that lists of configured rows share. Titles come from the page. */
import { Tag } from 'antd';
import type { Row } from '../api/rows.ts';
import type { Format } from '../i18n/format.ts';
import { KindTitle } from './kind-title.tsx';
import type { Column } from './resource-table.tsx';
import { RowName } from './row-name.tsx';
import { RowState } from './row-state.tsx';

/** The name, which opens the row. */
export function nameColumn<T extends { readonly name: string }>(title: string, width: number, onOpen: (row: T) => void): Column<T> {
  return { key: 'name', title, width, fixed: 'start', render: (row) => <RowName row={row} onOpen={() => onOpen(row)} /> };
}

export function kindColumn<T extends Row<{ readonly kind: string }>>(
  title: string,
  type: 'provider' | 'skill' | 'mcp',
  width: number,
): Column<T> {
  return {
    key: 'kind',
    title,
    width,
    render: ({ spec }) => (
      <Tag className="kind-tag">
        <KindTitle type={type} kind={spec.kind} />
      </Tag>
    ),
  };
}

export function changedColumn<T extends Pick<Row, 'updated_at'>>(title: string, format: Format): Column<T> {
  return { key: 'changed', title, width: 155, render: (row) => format.dateTime(row.updated_at) };
}

export function stateColumn<T extends Pick<Row, 'enabled' | 'locked'>>(title: string): Column<T> {
  return { key: 'state', title, width: 95, render: (row) => <RowState row={row} /> };
}
