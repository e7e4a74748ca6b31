/** Says as whom an administrator sees the console, and ends the view. */
import { Alert, Button } from 'antd';
import type { ReactNode } from 'react';
import { useSession } from '../api/session.ts';
import { useViewAs } from '../api/view-as.ts';
import { useTexts } from '../i18n/texts.ts';
import { texts } from './texts.ts';

export function ViewBanner(): ReactNode {
  const t = useTexts(texts);
  const { data: me } = useSession();
  const { end } = useViewAs();
  if (me?.viewed_by === undefined) return null;
  return (
    <Alert
      banner
      type="info"
      className="demo-banner"
      title={
        <>
          {t('viewing')} <b translate="no">{me.username}</b>. {t('viewingHelp')}
        </>
      }
      action={
        <Button size="small" onClick={end}>
          {t('endView')}
        </Button>
      }
    />
  );
}
