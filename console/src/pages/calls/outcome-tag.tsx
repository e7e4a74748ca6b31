/** How a call ended. */
import { Tag } from 'antd';
import type { ReactNode } from 'react';
import type { Outcome } from '../../api/runs.ts';
import { useTexts } from '../../i18n/texts.ts';
import { texts } from './texts.ts';

const colors: Readonly<Record<Outcome, string>> = { complete: 'success', error: 'error', aborted: 'default' };

export function OutcomeTag({ outcome, error }: { readonly outcome: Outcome; readonly error: string | null }): ReactNode {
  const t = useTexts(texts);
  return (
    <Tag color={colors[outcome]} title={error ?? ''}>
      {t(`outcome.${outcome}`)}
    </Tag>
  );
}
