/** Verifies the chain of hashes on the server, and shows its head for a copy elsewhere. */
import { SafetyCertificateOutlined } from '@ant-design/icons';
import { useMutation } from '@tanstack/react-query';
import { Alert, Modal } from 'antd';
import type { ReactNode } from 'react';
import { call } from '../../api/client.ts';
import { ActButton } from '../../components/act-button.tsx';
import { CopyButton } from '../../components/copy-button.tsx';
import { ErrorState } from '../../components/error-state.tsx';
import { useFormat } from '../../i18n/format.ts';
import { useTexts } from '../../i18n/texts.ts';
import { texts } from './texts.ts';

interface Verdict {
  readonly ok: boolean;
  readonly entries: number;
  readonly head: { readonly sequence: number; readonly hash: string };
}

export function VerifyChain(): ReactNode {
  const t = useTexts(texts);
  const format = useFormat();
  const verify = useMutation({ mutationFn: () => call<Verdict>('GET', '/api/audit/verify') });
  const { data: verdict, error } = verify;
  return (
    <>
      <ActButton icon={<SafetyCertificateOutlined aria-hidden />} loading={verify.isPending} onClick={() => verify.mutate()}>
        {t('verify')}
      </ActButton>
      <Modal open={verdict !== undefined || error !== null} title={t('verify')} footer={null} onCancel={() => verify.reset()}>
        {error !== null && <ErrorState error={error} />}
        {verdict !== undefined && (
          <Alert
            type={verdict.ok ? 'success' : 'error'}
            showIcon
            role="alert"
            title={t(verdict.ok ? 'intact' : 'broken', { entries: format.number(verdict.entries) })}
            description={
              <>
                <p>{t(verdict.ok ? 'headHelp' : 'brokenHelp')}</p>
                <code className="wrap" translate="no">
                  {verdict.head.sequence} {verdict.head.hash}
                </code>{' '}
                <CopyButton text={`${verdict.head.sequence} ${verdict.head.hash}`} label={t('head')} />
              </>
            }
          />
        )}
      </Modal>
    </>
  );
}
