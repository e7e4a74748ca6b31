/** Tests the unsaved draft: one short call by the way of a real one, through the deployments on the screen. */
import { useMutation } from '@tanstack/react-query';
import { Button, Card } from 'antd';
import type { ReactNode } from 'react';
import { call } from '../../api/client.ts';
import type { Spec } from '../../api/rows.ts';
import { ErrorState } from '../../components/error-state.tsx';
import { ModelVerdict, type Verdict } from '../../components/model-verdict.tsx';
import { useTexts } from '../../i18n/texts.ts';
import { texts } from './texts.ts';

export function DraftTest({ spec }: { readonly spec: Spec }): ReactNode {
  const t = useTexts(texts);
  const test = useMutation({ mutationFn: () => call<Verdict>('POST', '/api/models/test', { body: { spec } }) });
  return (
    <Card size="small" title={t('testTitle')} className="drawer-card">
      <p className="form-help">{t('testHelp')}</p>
      <p>
        <Button loading={test.isPending} onClick={() => test.mutate()}>
          {t('test')}
        </Button>
      </p>
      {test.error !== null && <ErrorState error={test.error} />}
      {test.data !== undefined && !test.isPending && <ModelVerdict verdict={test.data} />}
    </Card>
  );
}
