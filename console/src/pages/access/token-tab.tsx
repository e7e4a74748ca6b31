/** Tests a token as in a call, step by step, and shows how each service's claims are read. */
import { CheckCircleOutlined } from '@ant-design/icons';
import { useMutation, useQuery } from '@tanstack/react-query';
import { Alert, Form, Input } from 'antd';
import { type ReactNode, useState } from 'react';
import { ApiError } from '../../api/api-error.ts';
import { call } from '../../api/client.ts';
import { ActButton } from '../../components/act-button.tsx';
import { ActForm } from '../../components/act-form.tsx';
import { ErrorState } from '../../components/error-state.tsx';
import { errorText } from '../../components/error-text.ts';
import { errorTexts } from '../../components/error-texts.ts';
import { FactList } from '../../components/fact-list.tsx';
import { Revealed } from '../../components/revealed.tsx';
import { useFormat } from '../../i18n/format.ts';
import { useTexts } from '../../i18n/texts.ts';
import { texts } from './texts.ts';
import { stepKey } from './token-steps.ts';

interface TokenResult {
  readonly ok: boolean;
  readonly steps: readonly { readonly step: string; readonly found: Readonly<Record<string, unknown>> }[];
  readonly principal: {
    readonly username: string;
    readonly tenant: string;
    readonly roles: readonly string[];
    readonly permissions: readonly string[];
    readonly expires_at: string;
  } | null;
  readonly error: { readonly code: string; readonly message: string } | null;
}

interface Issuer {
  readonly issuer: string;
  readonly paths: Readonly<Record<string, readonly string[]>>;
  readonly default_tenant: string;
  readonly role_map: Readonly<Record<string, string>>;
  readonly permission_map: Readonly<Record<string, string>>;
}

const code = (key: string, text: string): ReactNode => (
  <code key={key} className="wrap" translate="no">
    {text}
  </code>
);
const pairs = (map: Readonly<Record<string, string>>): string =>
  Object.entries(map)
    .map(([from, to]) => `${from} → ${to}`)
    .join(', ');

function ResultView({ result }: { readonly result: TokenResult }): ReactNode {
  const t = useTexts(texts);
  const tell = useTexts(errorTexts);
  const format = useFormat();
  const { steps, principal, error } = result;
  return (
    <Revealed>
      <section aria-label={t('tokenResult')}>
        <ol className="plain-list">
          {steps.map(({ step, found }, index) => {
            const key = stepKey(step);
            return (
              <li key={index}>
                <CheckCircleOutlined aria-hidden className="connect-done" /> {key === null ? <span translate="no">{step}</span> : t(key)}{' '}
                {Object.keys(found).length > 0 && code('found', JSON.stringify(found))}
              </li>
            );
          })}
        </ol>
        {error !== null && (
          <Alert
            type="error"
            showIcon
            role="alert"
            title={errorText(tell, new ApiError({ status: 0, code: error.code, message: '', param: null, requestId: null }))}
            description={<span translate="no">{error.message}</span>}
          />
        )}
        {principal !== null && (
          <FactList
            facts={[
              [t('person'), code('person', principal.username)],
              [t('tenant'), code('tenant', principal.tenant)],
              [t('roles'), code('roles', principal.roles.join(' '))],
              [t('permissions'), code('permissions', principal.permissions.join(' '))],
              [t('expires'), format.dateTime(principal.expires_at)],
            ]}
          />
        )}
      </section>
    </Revealed>
  );
}

function Mapping(): ReactNode {
  const t = useTexts(texts);
  const issuers = useQuery({
    queryKey: ['/api/access/issuers'],
    queryFn: async ({ signal }) => (await call<{ readonly data: readonly Issuer[] }>('GET', '/api/access/issuers', { signal })).data,
  });
  if (issuers.error !== null) return <ErrorState error={issuers.error} onRetry={() => void issuers.refetch()} />;
  return (issuers.data ?? []).map(({ issuer, paths, default_tenant: tenant, role_map: roles, permission_map: permissions }) => (
    <section key={issuer}>
      <h3 className="drawer-heading">{code('issuer', issuer)}</h3>
      <FactList
        facts={[
          ...Object.entries(paths).map(([field, own]) => [t(`field.${field as 'subject'}`), code('paths', own.join(' | '))] as const),
          [t('defaultTenant'), code('tenant', tenant)],
          [t('roleMap'), pairs(roles) !== '' && code('roles', pairs(roles))],
          [t('permissionMap'), pairs(permissions) !== '' && code('permissions', pairs(permissions))],
        ]}
      />
    </section>
  ));
}

export function TokenTab(): ReactNode {
  const t = useTexts(texts);
  const [token, setToken] = useState('');
  const test = useMutation({ mutationFn: () => call<TokenResult>('POST', '/api/access/token-test', { body: { token } }) });
  return (
    <>
      <p className="form-help">{t('tokenHelp')}</p>
      <ActForm layout="vertical" className="explain-form" onFinish={() => test.mutate()}>
        <Form.Item label={t('token')} htmlFor="token-text">
          <Input.TextArea
            id="token-text"
            className="code"
            translate="no"
            autoComplete="off"
            spellCheck={false}
            autoSize={{ minRows: 3, maxRows: 8 }}
            value={token}
            onChange={({ target }) => setToken(target.value)}
          />
        </Form.Item>
        <ActButton type="primary" htmlType="submit" disabled={token.trim() === ''} loading={test.isPending}>
          {t('tokenTest')}
        </ActButton>
      </ActForm>
      {test.error !== null && <ErrorState error={test.error} />}
      {test.data !== undefined && !test.isPending && <ResultView key={test.submittedAt} result={test.data} />}
      <h2 className="drawer-heading">{t('mapping')}</h2>
      <p className="form-help">{t('mappingHelp')}</p>
      <Mapping />
    </>
  );
}
