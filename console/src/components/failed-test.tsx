/** Why a test of a draft failed: the sentence for the code, and what the vendor said. */
import { Alert } from 'antd';
import type { ReactNode } from 'react';
import { ApiError } from '../api/api-error.ts';
import { errorText } from './error-text.ts';
import { errorTexts } from './error-texts.ts';
import { useFormat } from '../i18n/format.ts';
import { useTexts } from '../i18n/texts.ts';
import { reasonKey, reasonTexts } from './reason-texts.ts';
import { Revealed } from './revealed.tsx';
import { texts } from './texts.ts';
import { vendorWords } from './vendor-words.ts';

export interface TestError {
  readonly code: string;
  /** Why the address could not be reached. */
  readonly reason: string | null;
  readonly message: string;
  readonly detail: string | null;
}

export function FailedTest({ error, durationMs }: { readonly error: TestError; readonly durationMs: number }): ReactNode {
  const t = useTexts(texts);
  const tell = useTexts(errorTexts);
  const why = useTexts(reasonTexts);
  const format = useFormat();
  const reason = reasonKey(error.reason);
  const facts = new ApiError({ status: 0, code: error.code, message: error.message, param: null, requestId: null });
  return (
    <Revealed>
      <Alert
        role="alert"
        type="error"
        showIcon
        title={t('testBad', { duration: format.duration(durationMs) })}
        description={
          <>
            <p>{reason === null ? errorText(tell, facts) : why(reason)}</p>
            <details open={error.detail !== null}>
              <summary>{t('vendorSaid')}</summary>
              <code className="wrap" translate="no">
                {error.detail === null ? error.message : vendorWords(error.detail).words}
              </code>
            </details>
          </>
        }
      />
    </Revealed>
  );
}
