/** Asks for a sign-in, and says when a session has ended. The page below keeps its state. */
import { LoginOutlined } from '@ant-design/icons';
import { useQueryClient } from '@tanstack/react-query';
import { Button, Modal, Skeleton } from 'antd';
import { type ReactNode, useEffect, useState } from 'react';
import { onSessionEnd } from '../api/client.ts';
import { type Me, sessionKey, signInAddress, useSession } from '../api/session.ts';
import { ErrorState } from '../components/error-state.tsx';
import { useDelayed } from '../components/use-delayed.ts';
import { useTexts } from '../i18n/texts.ts';
import { useProductName } from './brand.tsx';
import { LanguageSwitch } from './language-switch.tsx';
import { texts } from './texts.ts';

function SignInPage(): ReactNode {
  const t = useTexts(texts);
  const product = useProductName();
  return (
    <main className="sign-in">
      <section>
        <h1 translate="no">{product}</h1>
        <p>{t('signInHelp')}</p>
        <Button type="primary" size="large" block icon={<LoginOutlined aria-hidden />} href={signInAddress()} autoFocus>
          {t('signIn')}
        </Button>
        <p className="sign-in-language">
          <LanguageSwitch />
        </p>
      </section>
    </main>
  );
}

export function SessionGate({ children }: { readonly children: ReactNode }): ReactNode {
  const t = useTexts(texts);
  const client = useQueryClient();
  const session = useSession();
  const slow = useDelayed(session.isPending, 200);
  const [hasEnded, setEnded] = useState(false);
  useEffect(() => {
    onSessionEnd(() => {
      // A visitor who has not signed in gets the same answer, and is shown the sign-in page.
      if (client.getQueryData<Me | null>(sessionKey) != null) setEnded(true);
    });
  }, [client]);

  if (session.isPending) return slow ? <Skeleton active className="sign-in" /> : null;
  if (session.data === undefined) {
    return (
      <main className="sign-in">
        {session.error !== null && <ErrorState error={session.error} onRetry={() => void session.refetch()} />}
      </main>
    );
  }
  if (session.data === null && !hasEnded) return <SignInPage />;
  return (
    <>
      {children}
      <Modal open={hasEnded} closable={false} footer={null} title={t('sessionEnded')} mask={{ closable: false }}>
        <p>{t('sessionEndedHelp')}</p>
        <Button type="primary" icon={<LoginOutlined aria-hidden />} href={signInAddress()} autoFocus>
          {t('signInAgain')}
        </Button>
      </Modal>
    </>
  );
}
