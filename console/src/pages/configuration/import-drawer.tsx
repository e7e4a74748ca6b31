/** Import: documents in, the plan of the gateway out, and one button that makes it so. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Alert, App, Button, Drawer, Form, Input } from 'antd';
import { type ReactNode, useMemo, useRef, useState } from 'react';
import { call } from '../../api/client.ts';
import { ActButton } from '../../components/act-button.tsx';
import { ActForm } from '../../components/act-form.tsx';
import { ErrorState } from '../../components/error-state.tsx';
import { useFocusReturn } from '../../components/use-focus-return.ts';
import { useTexts } from '../../i18n/texts.ts';
import { fillReferences, readDocuments, referencesIn } from './documents.ts';
import { type Plan, PlanView } from './plan-view.tsx';
import { texts } from './texts.ts';

export function ImportDrawer({ onClose }: { readonly onClose: () => void }): ReactNode {
  useFocusReturn();
  const t = useTexts(texts);
  const client = useQueryClient();
  const { message } = App.useApp();
  const file = useRef<HTMLInputElement>(null);
  const [text, setText] = useState('');
  const [documents, setDocuments] = useState<readonly unknown[]>([]);
  const [fault, setFault] = useState('');
  const [values, setValues] = useState<ReadonlyMap<string, string>>(new Map());
  const references = useMemo(() => referencesIn(documents), [documents]);

  const send = (dryRun: boolean): Promise<Plan> =>
    call<Plan>('POST', '/api/config/apply', { body: { documents: fillReferences(documents, values), dry_run: dryRun } });
  const plan = useMutation({ mutationFn: () => send(true) });
  const apply = useMutation({
    mutationFn: () => send(false),
    // Every row may have changed.
    onSuccess: ({ changes, revision }) => {
      void message.success(t('imported', { count: changes.length, revision }));
      onClose();
      return client.invalidateQueries();
    },
  });
  const change = async (next: string): Promise<void> => {
    setText(next);
    plan.reset();
    apply.reset();
    const read = await readDocuments(next);
    setDocuments(read.documents);
    setFault(read.fault);
  };
  const changes = plan.data?.changes ?? [];
  return (
    <Drawer
      open
      size={860}
      title={t('import')}
      onClose={onClose}
      footer={
        <div className="drawer-footer">
          <Button onClick={onClose}>{t('cancel')}</Button>
          <ActButton type="primary" disabled={changes.length === 0} loading={apply.isPending} onClick={() => apply.mutate()}>
            {t('importApply', { count: changes.length })}
          </ActButton>
        </div>
      }
    >
      <p className="form-help">{t('importHelp')}</p>
      <ActForm layout="vertical" onFinish={() => plan.mutate()}>
        <input
          ref={file}
          type="file"
          accept=".yaml,.yml,.json"
          className="file-input"
          tabIndex={-1}
          aria-hidden
          onChange={({ target }) => void target.files?.[0]?.text().then(change)}
        />
        <p>
          <Button onClick={() => file.current?.click()}>{t('chooseFile')}</Button>
        </p>
        <Form.Item
          label={t('documents')}
          htmlFor="import-documents"
          {...(fault === '' ? {} : { validateStatus: 'error' as const, help: <span translate="no">{fault}</span> })}
        >
          <Input.TextArea
            id="import-documents"
            className="code"
            translate="no"
            autoSize={{ minRows: 6, maxRows: 16 }}
            value={text}
            onChange={({ target }) => void change(target.value)}
          />
        </Form.Item>
        {references.map((each) => (
          <Form.Item key={each} label={<code translate="no">{each}</code>} htmlFor={`import ${each}`} extra={t('referenceHelp')}>
            <Input.Password
              id={`import ${each}`}
              autoComplete="off"
              aria-label={each}
              value={values.get(each) ?? ''}
              onChange={({ target }) => {
                setValues(new Map(values).set(each, target.value));
                plan.reset();
              }}
            />
          </Form.Item>
        ))}
        <ActButton htmlType="submit" disabled={documents.length === 0 || fault !== ''} loading={plan.isPending}>
          {t('plan', { count: documents.length })}
        </ActButton>
      </ActForm>
      {plan.error !== null && <ErrorState error={plan.error} />}
      {apply.error !== null && <ErrorState error={apply.error} />}
      {plan.data !== undefined && changes.length === 0 && <Alert type="success" showIcon role="alert" title={t('planNothing')} />}
      {plan.data !== undefined && changes.length > 0 && <PlanView plan={plan.data} />}
    </Drawer>
  );
}
