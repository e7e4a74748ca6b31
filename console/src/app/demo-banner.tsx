/** Says that the gateway runs with the development identity service, where everybody is an administrator. */
import { Alert } from 'antd';
import type { ReactNode } from 'react';
import { useSession } from '../api/session.ts';
import { useTexts } from '../i18n/texts.ts';
import { texts } from './texts.ts';

export function DemoBanner(): ReactNode {
  const t = useTexts(texts);
  const { data: me } = useSession();
  if (me?.development_identity !== true) return null;
  return <Alert banner type="warning" closable={{ 'aria-label': t('close') }} title={t('demo')} className="demo-banner" />;
}
