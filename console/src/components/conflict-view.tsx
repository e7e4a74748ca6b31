/** Two people changed one row: what differs, and the choice. */
import { Alert, Button, Space, Table } from 'antd';
import type { ReactNode } from 'react';
import { type Collection, type Row, type Spec, useRow } from '../api/rows.ts';
import { useTexts } from '../i18n/texts.ts';
import { differencesOf } from './differences.ts';
import { ErrorState } from './error-state.tsx';
import type { Draft } from './draft.ts';
import { texts } from './texts.ts';

interface ConflictViewProps {
  readonly collection: Collection;
  readonly name: string;
  readonly mine: Draft;
  readonly onTake: (stored: Row) => void;
  readonly onKeep: (stored: Row) => void;
}

const show = (value: unknown): ReactNode => <code className="wrap">{value === undefined ? '–' : JSON.stringify(value)}</code>;

export function ConflictView({ collection, name, mine, onTake, onKeep }: ConflictViewProps): ReactNode {
  const t = useTexts(texts);
  const stored = useRow<Spec>(collection, name);
  if (stored.error !== null) return <ErrorState error={stored.error} onRetry={() => void stored.refetch()} />;
  const { data: row } = stored;
  if (row === undefined) return null;
  const differences = differencesOf({ enabled: row.enabled, ...row.spec }, { enabled: mine.enabled, ...mine.spec });
  return (
    <Alert
      type="warning"
      showIcon
      role="alert"
      title={t('conflictTitle')}
      description={
        <>
          <p>{t('conflictHelp')}</p>
          <Table
            size="small"
            pagination={false}
            rowKey="path"
            dataSource={[...differences]}
            columns={[
              { title: t('field'), dataIndex: 'path', render: (path: string) => <code>{path}</code> },
              { title: t('conflictStored', { person: row.updated_by }), dataIndex: 'before', render: show },
              { title: t('conflictMine'), dataIndex: 'after', render: show },
            ]}
          />
          <Space wrap>
            <Button onClick={() => onTake(row)}>{t('conflictTake')}</Button>
            <Button type="primary" onClick={() => onKeep(row)}>
              {t('conflictKeep')}
            </Button>
          </Space>
        </>
      }
    />
  );
}
