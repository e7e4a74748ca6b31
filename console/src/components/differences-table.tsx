/** What differs between two versions of a row, field by field. */
import { Table } from 'antd';
import type { ReactNode } from 'react';
import { useTexts } from '../i18n/texts.ts';
import type { Difference } from './differences.ts';
import { ScrollFrame } from './scroll-frame.tsx';
import { texts } from './texts.ts';

interface DifferencesTableProps {
  readonly differences: readonly Difference[];
  /** The titles of the two sides. */
  readonly before: string;
  readonly after: string;
}

const show = (value: unknown): ReactNode => (
  <code className="wrap">{value === undefined ? '–' : typeof value === 'string' ? value : JSON.stringify(value, null, 1)}</code>
);

export function DifferencesTable({ differences, before, after }: DifferencesTableProps): ReactNode {
  const t = useTexts(texts);
  return (
    <ScrollFrame label={t('field')} width={520}>
      <Table
        size="small"
        pagination={false}
        rowKey="path"
        className="differences"
        dataSource={[...differences]}
        locale={{ emptyText: t('noDifference') }}
        columns={[
          { title: t('field'), dataIndex: 'path', width: '24%', render: (path: string) => <code className="wrap">{path}</code> },
          { title: before, dataIndex: 'before', width: '38%', render: show },
          { title: after, dataIndex: 'after', width: '38%', render: show },
        ]}
      />
    </ScrollFrame>
  );
}
