/** What the test of a draft found: the answer and its duration, or why there is none. */
import { Alert } from 'antd';
import type { ReactNode } from 'react';
import { useFormat } from '../i18n/format.ts';
import { useTexts } from '../i18n/texts.ts';
import { FailedTest, type TestError } from './failed-test.tsx';
import { Revealed } from './revealed.tsx';
import { texts } from './texts.ts';

export interface Verdict {
  readonly ok: boolean;
  readonly duration_ms: number;
  readonly answer?: string;
  readonly deployment?: string;
  readonly error?: TestError;
}

export function ModelVerdict({ verdict }: { readonly verdict: Verdict }): ReactNode {
  const t = useTexts(texts);
  const format = useFormat();
  const { error, answer = '' } = verdict;
  if (error !== undefined) return <FailedTest error={error} durationMs={verdict.duration_ms} />;
  return (
    <Revealed>
      <Alert
        type="success"
        showIcon
        title={<span translate="no">{t('testGood', { duration: format.duration(verdict.duration_ms), answer })}</span>}
      />
    </Revealed>
  );
}
