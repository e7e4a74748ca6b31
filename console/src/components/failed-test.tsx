/** Why a test of a draft failed: the sentence for the code, and what the vendor said. */
import { Alert } from 'antd';
import type { ReactNode } from 'react';
import { ApiError } from '../api/api-error.ts';
import { errorText } from './error-text.ts';
import { errorTexts } from './error-texts.ts';
import { useFormat } from '../i18n/format.ts';
import { useTexts } from '../i18n/texts.ts';
import { texts } from './texts.ts';

export interface TestError {
  readonly code: string;
  readonly message: string;
  readonly detail: string | null;
}

export function FailedTest({ error, durationMs }: { readonly error: TestError; readonly durationMs: number }): ReactNode {
  const t = useTexts(texts);
  const tell = useTexts(errorTexts);
  const format = useFormat();
  const facts = new ApiError({ status: 0, code: error.code, message: error.message, param: null, requestId: null });
  return (
    <Alert
      role="alert"
      type="error"
      showIcon
      title={t('testBad', { duration: format.duration(durationMs) })}
      description={
        <>
          <p>{errorText(tell, facts)}</p>
          <details open={error.detail !== null}>
            <summary>{t('vendorSaid')}</summary>
            <code className="wrap" translate="no">
              {error.detail ?? error.message}
            </code>
          </details>
        </>
      }
    />
  );
}
