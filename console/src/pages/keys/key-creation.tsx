/** Makes a key: its purpose, for whom, what it may use, and when it expires. */
import { useMutation, useQueryClient } from '@tanstack/react-query';
import { Drawer, Form, Input, InputNumber, Select } from 'antd';
import { type ReactNode, useState } from 'react';
import { call } from '../../api/client.ts';
import { ActButton } from '../../components/act-button.tsx';
import { ActForm } from '../../components/act-form.tsx';
import { ErrorState } from '../../components/error-state.tsx';
import { HelpText } from '../../components/schema-form/help-text.tsx';
import { useFocusReturn } from '../../components/use-focus-return.ts';
import { useTexts } from '../../i18n/texts.ts';
import { KeyOwner, type Owner, ownerFields } from './key-owner.tsx';
import type { NewKey } from './key.ts';
import { texts } from './texts.ts';

interface KeyCreationProps {
  readonly onClose: () => void;
  readonly onMade: (made: NewKey) => void;
}

export function KeyCreation({ onClose, onMade }: KeyCreationProps): ReactNode {
  useFocusReturn();
  const t = useTexts(texts);
  const client = useQueryClient();
  const [title, setTitle] = useState('');
  const [capabilities, setCapabilities] = useState<readonly string[]>([]);
  const [owner, setOwner] = useState<Owner>({ kind: 'me', name: '' });
  const [days, setDays] = useState(90);
  const make = useMutation({
    mutationFn: () =>
      call<NewKey>('POST', '/api/keys', {
        body: { title, ...ownerFields(owner), capabilities: capabilities.length === 0 ? null : capabilities, expires_in_days: days },
      }),
    onSuccess: onMade,
    onSettled: () => client.invalidateQueries({ queryKey: ['/api/keys'] }),
  });
  return (
    <Drawer
      open
      title={t('new')}
      size={480}
      onClose={onClose}
      footer={
        <div className="drawer-footer">
          <ActButton
            type="primary"
            htmlType="submit"
            form="new-key"
            loading={make.isPending}
            disabled={owner.kind !== 'me' && owner.name === ''}
          >
            {t('make')}
          </ActButton>
        </div>
      }
    >
      {make.error !== null && <ErrorState error={make.error} />}
      <ActForm id="new-key" layout="vertical" onFinish={() => make.mutate()}>
        <Form.Item label={t('purposeOf')} htmlFor="key-title" extra={t('purposeHelp')}>
          <Input id="key-title" autoFocus maxLength={128} value={title} onChange={({ target }) => setTitle(target.value)} />
        </Form.Item>
        <KeyOwner owner={owner} onChange={setOwner} />
        <Form.Item label={t('scope')} htmlFor="key-scope" extra={<HelpText text={t('scopeHelp')} />}>
          <Select
            id="key-scope"
            mode="tags"
            open={false}
            suffixIcon={null}
            tokenSeparators={[',', ' ']}
            aria-label={t('scope')}
            value={[...capabilities]}
            onChange={(next: string[]) => setCapabilities(next)}
          />
        </Form.Item>
        <Form.Item label={t('days')} htmlFor="key-days">
          <InputNumber
            id="key-days"
            className="form-number"
            min={1}
            max={3_650}
            precision={0}
            value={days}
            onChange={(next) => setDays(next ?? 90)}
          />
        </Form.Item>
      </ActForm>
    </Drawer>
  );
}
