/** What was done, coloured by how much it matters. */
import { Tag } from 'antd';
import type { ReactNode } from 'react';
import { useTexts } from '../../i18n/texts.ts';
import { isCommonAct } from './acts.ts';
import { texts } from './texts.ts';

const colors: Readonly<Record<string, string>> = {
  create: 'success',
  update: 'processing',
  approve: 'processing',
  delete: 'error',
  denied: 'warning',
  refused: 'warning',
  block: 'error',
  'circuit open': 'error',
  withhold: 'warning',
};

export function ActTag({ act }: { readonly act: string }): ReactNode {
  const t = useTexts(texts);
  return <Tag color={colors[act] ?? 'default'}>{isCommonAct(act) ? t(`act.${act}`) : <span translate="no">{act}</span>}</Tag>;
}
