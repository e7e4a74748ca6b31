/** Who may use one capability by a grant, with the way to give and to take it. Roles that reach everything need none. */
import { DeleteOutlined } from '@ant-design/icons';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { AutoComplete, Button, Card, Select, Space, type RefSelectProps } from 'antd';
import { type ReactNode, useRef, useState } from 'react';
import { call, callAll } from '../api/client.ts';
import type { Row } from '../api/rows.ts';
import { useTexts } from '../i18n/texts.ts';
import { ActButton } from './act-button.tsx';
import { CanAct } from './can.tsx';
import { ErrorState } from './error-state.tsx';
import { nameOptions } from './name-options.tsx';
import { texts } from './texts.ts';

const subjectTypes = ['role', 'team', 'user', 'client'] as const;
type SubjectType = (typeof subjectTypes)[number];

interface GrantSpec {
  readonly subject_type: SubjectType;
  readonly subject: string;
  readonly capability: string;
  readonly action: string;
}

const key = ['/api/grants', 'all'] as const;
const roles = ['user', 'developer', 'viewer'];

export function GrantList({ capability }: { readonly capability: string }): ReactNode {
  const t = useTexts(texts);
  const client = useQueryClient();
  const [type, setType] = useState<SubjectType>('role');
  const [subject, setSubject] = useState('');
  const field = useRef<RefSelectProps>(null);
  const grants = useQuery({
    queryKey: key,
    queryFn: ({ signal }) => callAll<Row<GrantSpec>>('/api/grants', signal),
  });
  const onSettled = (): Promise<void> => client.invalidateQueries({ queryKey: ['/api/grants'] });
  const give = useMutation({
    mutationFn: () =>
      call('POST', '/api/grants', { body: { spec: { subject_type: type, subject: subject.trim(), capability, action: 'use' } } }),
    // The button that was used is then disabled, and that of a grant which is taken back is gone.
    onSuccess: () => {
      setSubject('');
      field.current?.focus();
    },
    onSettled,
  });
  const take = useMutation({
    mutationFn: (name: string) => call('DELETE', `/api/grants/${encodeURIComponent(name)}`),
    onSuccess: () => field.current?.focus(),
    onSettled,
  });
  const own = (grants.data ?? []).filter(({ spec }) => spec.capability === capability);
  const error = grants.error ?? give.error ?? take.error;
  return (
    <Card size="small" title={t('grants')} className="drawer-card">
      <p className="form-help">{t('grantsHelp')}</p>
      {error !== null && <ErrorState error={error} />}
      <ul className="grant-list">
        {own.map(({ name, spec }) => (
          <li key={name}>
            {t(`subject.${spec.subject_type}`)} <code translate="no">{spec.subject}</code>{' '}
            {t(spec.action === 'view' ? 'mayView' : 'mayUse')}
            <ActButton
              type="text"
              size="small"
              icon={<DeleteOutlined aria-hidden />}
              aria-label={`${t('grantTake')}: ${spec.subject}`}
              onClick={() => take.mutate(name)}
            />
          </li>
        ))}
      </ul>
      <CanAct>
        <Space.Compact block>
          <Select
            aria-label={t('grantType')}
            value={type}
            options={subjectTypes.map((each) => ({ value: each, label: t(`subject.${each}`) }))}
            onChange={(next: SubjectType) => setType(next)}
          />
          <AutoComplete
            ref={field}
            className="form-choice"
            aria-label={t('grantSubject')}
            placeholder={t('grantSubject')}
            value={subject}
            options={type === 'role' ? nameOptions(roles) : []}
            onChange={(next: string) => setSubject(next ?? '')}
          />
          <Button loading={give.isPending} disabled={subject.trim() === ''} onClick={() => give.mutate()}>
            {t('grantGive')}
          </Button>
        </Space.Compact>
      </CanAct>
    </Card>
  );
}
