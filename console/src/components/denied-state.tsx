/** A page that its reader may not see: which right is missing, and who can give it. */
import type { ReactNode } from 'react';
import type { Right } from '../api/session.ts';
import { useTexts } from '../i18n/texts.ts';
import { EmptyState } from './empty-state.tsx';
import { texts } from './texts.ts';

export function DeniedState({ right }: { readonly right: Right }): ReactNode {
  const t = useTexts(texts);
  const shown = right === 'administrator' ? t('rightAdministrator') : right;
  return <EmptyState title={t('denied')} help={t('deniedHelp', { right: shown })} />;
}
