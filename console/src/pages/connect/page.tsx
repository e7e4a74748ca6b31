/** Connect: client and model in, the exact configuration out, and a tick when its first call arrives. */
import { Link } from '@tanstack/react-router';
import { Alert, Form, Select } from 'antd';
import type { ReactNode } from 'react';
import { CodeBlock } from '../../components/code-block.tsx';
import { gatewayAddress } from '../../components/code-samples.ts';
import { useModelNames } from '../../components/model-names.ts';
import { nameOptions } from '../../components/name-options.tsx';
import { PageHeader } from '../../components/page-header.tsx';
import { useSearchState } from '../../components/search-state.ts';
import { useTexts } from '../../i18n/texts.ts';
import { clients } from './clients.ts';
import { FirstCall } from './first-call.tsx';
import { texts } from './texts.ts';

export function ConnectPage(): ReactNode {
  const t = useTexts(texts);
  const [search, setSearch] = useSearchState('client', 'model');
  const { names } = useModelNames();
  const [first] = clients;
  const guide = clients.find(({ id }) => id === search.client) ?? first;
  const model = search.model ?? names[0] ?? 'demo/echo';
  if (guide === undefined) return null;
  return (
    <>
      <PageHeader title={t('title')} purpose={t('purpose')} />
      <Form layout="vertical" component="div" className="connect-form">
        <Form.Item label={t('client')} htmlFor="connect-client">
          <Select
            id="connect-client"
            aria-label={t('client')}
            value={guide.id}
            options={clients.map(({ id, name }) => ({ value: id, label: <span translate="no">{name}</span> }))}
            onChange={(next: string) => setSearch({ client: next })}
          />
        </Form.Item>
        <Form.Item label={t('model')} htmlFor="connect-model">
          <Select
            id="connect-model"
            aria-label={t('model')}
            value={model}
            options={nameOptions(names)}
            showSearch={{ optionFilterProp: 'value' }}
            onChange={(next: string) => setSearch({ model: next })}
          />
        </Form.Item>
      </Form>
      <ol className="connect-steps">
        <li>
          <p>
            {t('stepKey')} <Link to="/keys">{t('toKeys')}</Link>
          </p>
          <CodeBlock label="shell" text="export PAILOU_TOKEN=pailou_…" />
        </li>
        <li>
          <p>
            {t('stepLines')} <code translate="no">{guide.place}</code>
          </p>
          {guide.note !== undefined && <Alert type="warning" showIcon title={t(guide.note)} />}
          <CodeBlock label={guide.name} text={guide.lines({ address: gatewayAddress(), model })} />
        </li>
        <li>
          <p>{t('stepCall')}</p>
          <FirstCall />
        </li>
      </ol>
    </>
  );
}
