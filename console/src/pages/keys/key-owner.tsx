/** For whom a key is made: the person who is signed in, another person, or a service account. Offers only what the gateway would allow. */
import { useQuery } from '@tanstack/react-query';
import { AutoComplete, Form, Radio, Select } from 'antd';
import type { ReactNode } from 'react';
import { call, callAll, type Page } from '../../api/client.ts';
import type { Row } from '../../api/rows.ts';
import { useCan } from '../../components/can.tsx';
import { nameOptions } from '../../components/name-options.tsx';
import { useTexts } from '../../i18n/texts.ts';
import { texts } from './texts.ts';

export interface Owner {
  readonly kind: 'me' | 'person' | 'service';
  readonly name: string;
}

/** The fields of the request. */
export function ownerFields({ kind, name }: Owner): { readonly for?: string; readonly service?: string } {
  if (kind === 'person') return { for: name };
  return kind === 'service' ? { service: name } : {};
}

interface KeyOwnerProps {
  readonly owner: Owner;
  readonly onChange: (owner: Owner) => void;
}

export function KeyOwner({ owner, onChange }: KeyOwnerProps): ReactNode {
  const t = useTexts(texts);
  const isAdministrator = useCan('administrator');
  // The list holds what its reader may make keys for: all of the tenant, or those of their teams.
  const accounts = useQuery({
    queryKey: ['/api/service-accounts', 'names'],
    queryFn: async ({ signal }) => (await callAll<Row>('/api/service-accounts', signal)).map(({ name }) => name),
  });
  const people = useQuery({
    queryKey: ['/api/people', 'ids'],
    queryFn: async ({ signal }) => (await call<Page<{ readonly id: string }>>('GET', '/api/people?limit=500', { signal })).data,
    enabled: isAdministrator && owner.kind === 'person',
  });
  const hasAccounts = isAdministrator || (accounts.data ?? []).length > 0;
  if (!hasAccounts) return null;
  return (
    <>
      <Form.Item label={t('for')} htmlFor="key-for">
        <Radio.Group
          id="key-for"
          aria-label={t('for')}
          value={owner.kind}
          onChange={({ target }) => onChange({ kind: target.value as Owner['kind'], name: '' })}
          options={[
            { value: 'me', label: t('for.me') },
            ...(isAdministrator ? [{ value: 'person', label: t('for.person') }] : []),
            { value: 'service', label: t('for.service') },
          ]}
        />
      </Form.Item>
      {owner.kind === 'person' && (
        <Form.Item label={t('person')} htmlFor="key-person" required extra={t('personHelp')}>
          <div translate="no">
            <AutoComplete
              id="key-person"
              aria-label={t('person')}
              className="form-choice"
              value={owner.name}
              options={nameOptions((people.data ?? []).map(({ id }) => id))}
              showSearch={{ filterOption: (typed, option) => String(option?.value ?? '').includes(typed) }}
              onChange={(next: string) => onChange({ kind: 'person', name: next ?? '' })}
            />
          </div>
        </Form.Item>
      )}
      {owner.kind === 'service' && (
        <Form.Item label={t('service')} htmlFor="key-service" required extra={t('serviceHelp')}>
          <div translate="no">
            <Select
              id="key-service"
              aria-label={t('service')}
              className="form-choice"
              value={owner.name === '' ? null : owner.name}
              options={nameOptions([...(accounts.data ?? [])])}
              showSearch
              onChange={(next: string) => onChange({ kind: 'service', name: next })}
            />
          </div>
        </Form.Item>
      )}
    </>
  );
}
