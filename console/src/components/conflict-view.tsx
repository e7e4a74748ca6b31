/** Two people changed one row: what differs, and the choice. */
import { Alert, Button, Space } from 'antd';
import type { ReactNode } from 'react';
import { type Collection, type Row, type Spec, useRow } from '../api/rows.ts';
import { useTexts } from '../i18n/texts.ts';
import { DifferencesTable } from './differences-table.tsx';
import { differencesOf } from './differences.ts';
import { ErrorState } from './error-state.tsx';
import type { Draft } from './draft.ts';
import { texts } from './texts.ts';

interface ConflictViewProps {
  readonly collection: Collection;
  readonly name: string;
  /** Without its secrets: it is shown. */
  readonly mine: Draft;
  readonly onTake: (stored: Row) => void;
  readonly onKeep: (stored: Row) => void;
}

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
          <DifferencesTable differences={differences} before={t('conflictStored', { person: row.updated_by })} after={t('conflictMine')} />
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
