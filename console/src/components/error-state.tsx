/** What failed, in the reader's language by its code, with the request id for support and a way to try again. */
import { Alert, Button } from 'antd';
import type { ReactNode } from 'react';
import { ApiError } from '../api/api-error.ts';
import { useTexts } from '../i18n/texts.ts';
import { CopyButton } from './copy-button.tsx';
import { errorText } from './error-text.ts';
import { errorTexts } from './error-texts.ts';
import { Revealed } from './revealed.tsx';
import { texts } from './texts.ts';

interface ErrorStateProps {
  readonly error: Error;
  readonly onRetry?: () => void;
}

export function ErrorState({ error, onRetry }: ErrorStateProps): ReactNode {
  const t = useTexts(texts);
  const tell = useTexts(errorTexts);
  const facts = error instanceof ApiError ? error : null;
  const details = facts === null ? error.message : facts.message;
  return (
    <Revealed>
      <Alert
        type="error"
        showIcon
        role="alert"
        title={errorText(tell, error)}
        action={
          onRetry !== undefined && (
            <Button size="small" onClick={onRetry}>
              {t('retry')}
            </Button>
          )
        }
        description={
          <>
            {facts?.param != null && (
              <div>
                {t('errorField')}: <code translate="no">{facts.param}</code>
              </div>
            )}
            {facts?.requestId != null && (
              <div>
                {t('requestId')}: <code>{facts.requestId}</code> <CopyButton text={facts.requestId} label={t('requestId')} />
              </div>
            )}
            {details !== '' && (
              <details open={facts?.param != null}>
                <summary>{t('details')}</summary>
                <p translate="no">
                  {facts !== null && <code>{facts.code}</code>} {details}
                </p>
              </details>
            )}
          </>
        }
      />
    </Revealed>
  );
}
