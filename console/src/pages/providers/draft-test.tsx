/** Tests the unsaved draft by a real call through the gateway's own path. */
import { useMutation } from '@tanstack/react-query';
import { AutoComplete, Button, Card, Form, Space } from 'antd';
import { type ReactNode, useState } from 'react';
import { call } from '../../api/client.ts';
import type { Spec } from '../../api/rows.ts';
import { ErrorState } from '../../components/error-state.tsx';
import { ModelVerdict, type Verdict } from '../../components/model-verdict.tsx';
import { nameOptions } from '../../components/name-options.tsx';
import { useTexts } from '../../i18n/texts.ts';
import { texts } from './texts.ts';

interface DraftTestProps {
  readonly spec: Spec;
  /** The stored provider, whose secrets the draft keeps. */
  readonly stored: string | undefined;
  /** The models that the vendor has named; the first is tried unless another is chosen. */
  readonly offered: readonly string[];
}

export function DraftTest({ spec, stored, offered }: DraftTestProps): ReactNode {
  const t = useTexts(texts);
  const [typed, setTyped] = useState<string | null>(null);
  const [isListOpen, setListOpen] = useState(false);
  const model = typed ?? offered[0] ?? '';
  const test = useMutation({
    mutationFn: () =>
      call<Verdict>('POST', '/api/providers/test', { body: { spec, model, ...(stored === undefined ? {} : { name: stored }) } }),
  });
  return (
    <Card size="small" title={t('testTitle')} className="drawer-card">
      <p className="form-help">{t('testHelp')}</p>
      <Form.Item label={t('testModel')} htmlFor="test-model" extra={t('testModelHelp')}>
        <Space.Compact block>
          <AutoComplete
            id="test-model"
            className="form-choice"
            value={model}
            options={nameOptions(offered)}
            defaultActiveFirstOption={false}
            onOpenChange={setListOpen}
            // Enter in a field would send the form of the drawer, which saves.
            onInputKeyDown={(event) => {
              if (event.key !== 'Enter') return;
              event.preventDefault();
              if (model !== '' && !(isListOpen && offered.length > 0)) test.mutate();
            }}
            onChange={(next: string) => setTyped(next ?? '')}
          />
          <Button loading={test.isPending} disabled={model === ''} onClick={() => test.mutate()}>
            {t('test')}
          </Button>
        </Space.Compact>
      </Form.Item>
      {test.error !== null && <ErrorState error={test.error} />}
      {test.data !== undefined && !test.isPending && <ModelVerdict verdict={test.data} />}
    </Card>
  );
}
