/** What differs between two versions of a row, field by field. */
import type { ReactNode } from 'react';
import { useTexts } from '../i18n/texts.ts';
import type { Difference } from './differences.ts';
import { FittingTable } from './fitting-table.tsx';
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
    <FittingTable
      label={t('field')}
      width={520}
      rowKey="path"
      className="differences"
      rows={differences}
      locale={{ emptyText: t('noDifference') }}
      columns={[
        { title: t('field'), width: '24%', render: ({ path }) => <code className="wrap">{path}</code> },
        { title: before, width: '38%', render: ({ before: old }) => show(old) },
        { title: after, width: '38%', render: ({ after: next }) => show(next) },
      ]}
    />
  );
}
