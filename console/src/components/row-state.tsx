/** Whether a row is in use, and who owns it: the console or a configuration file. */
import { LockOutlined } from '@ant-design/icons';
import { Badge, Tooltip } from 'antd';
import type { ReactNode } from 'react';
import type { Row } from '../api/rows.ts';
import { useTexts } from '../i18n/texts.ts';
import { texts } from './texts.ts';

export function RowState({ row }: { readonly row: Pick<Row, 'enabled' | 'locked'> }): ReactNode {
  const t = useTexts(texts);
  return (
    <>
      <Badge status={row.enabled ? 'success' : 'default'} text={t(row.enabled ? 'on' : 'off')} />
      {row.locked !== undefined && (
        <Tooltip title={t('locked')}>
          <LockOutlined aria-label={t('locked')} className="row-lock" />
        </Tooltip>
      )}
    </>
  );
}
