/** A page that its reader may not see: which right is missing, and who can give it. */
import { Result } from 'antd';
import type { ReactNode } from 'react';
import type { Right } from '../api/session.ts';
import { useTexts } from '../i18n/texts.ts';
import { texts } from './texts.ts';

export function DeniedState({ right }: { readonly right: Right }): ReactNode {
  const t = useTexts(texts);
  const shown = right === 'administrator' ? t('rightAdministrator') : right;
  return <Result status="403" title={t('denied')} subTitle={t('deniedHelp', { right: shown })} />;
}
