/** Tests the unsaved draft by a real call through the gateway's own path. */
import { useMutation } from '@tanstack/react-query';
import { Alert, Button, Card, Form, Input, Space } from 'antd';
import { type ReactNode, useState } from 'react';
import { call } from '../../api/client.ts';
import type { Spec } from '../../api/rows.ts';
import { ErrorState } from '../../components/error-state.tsx';
import { FailedTest, type TestError } from '../../components/failed-test.tsx';
import { useFormat } from '../../i18n/format.ts';
import { useTexts } from '../../i18n/texts.ts';
import { texts } from './texts.ts';

interface Verdict {
  readonly ok: boolean;
  readonly duration_ms: number;
  readonly answer?: string;
  readonly error?: TestError;
}

interface DraftTestProps {
  readonly spec: Spec;
  /** The stored provider, whose secrets the draft keeps. */
  readonly stored: string | undefined;
}

function VerdictView({ verdict }: { readonly verdict: Verdict }): ReactNode {
  const t = useTexts(texts);
  const format = useFormat();
  const duration = format.duration(verdict.duration_ms);
  const { error } = verdict;
  if (error === undefined)
    return (
      <Alert type="success" showIcon title={<span translate="no">{t('testGood', { duration, answer: verdict.answer ?? '' })}</span>} />
    );
  return <FailedTest error={error} durationMs={verdict.duration_ms} />;
}

export function DraftTest({ spec, stored }: DraftTestProps): ReactNode {
  const t = useTexts(texts);
  const [model, setModel] = useState('');
  const test = useMutation({
    mutationFn: () =>
      call<Verdict>('POST', '/api/providers/test', { body: { spec, model, ...(stored === undefined ? {} : { name: stored }) } }),
  });
  return (
    <Card size="small" title={t('testTitle')} className="drawer-card">
      <p className="form-help">{t('testHelp')}</p>
      <Form.Item label={t('testModel')} htmlFor="test-model">
        <Space.Compact block>
          <Input
            id="test-model"
            translate="no"
            value={model}
            onChange={({ target }) => setModel(target.value)}
            onPressEnter={(event) => {
              event.preventDefault();
              if (model !== '') test.mutate();
            }}
          />
          <Button loading={test.isPending} disabled={model === ''} onClick={() => test.mutate()}>
            {t('test')}
          </Button>
        </Space.Compact>
      </Form.Item>
      {test.error !== null && <ErrorState error={test.error} />}
      {test.data !== undefined && !test.isPending && <VerdictView verdict={test.data} />}
    </Card>
  );
}
