/** Why a person may or may not do something, decided by the same function as their calls. */
import { useQuery } from '@tanstack/react-query';
import { Alert, Button, Form, Segmented } from 'antd';
import { type ReactNode, useState } from 'react';
import { call, queryOf } from '../../api/client.ts';
import { ErrorState } from '../../components/error-state.tsx';
import { FactList } from '../../components/fact-list.tsx';
import { ReferenceControl } from '../../components/schema-form/reference-control.tsx';
import { useSearchState } from '../../components/search-state.ts';
import { useFormat } from '../../i18n/format.ts';
import { useTexts } from '../../i18n/texts.ts';
import { PersonField } from './person-field.tsx';
import { ruleKey } from './rules.ts';
import { texts } from './texts.ts';

type Action = 'view' | 'use' | 'manage';

interface Decision {
  readonly allowed: boolean;
  readonly rule: string;
  readonly reason: string;
  readonly subject: string;
  readonly roles: readonly string[];
  readonly permissions: readonly string[];
  readonly as?: { readonly username: string; readonly seen_at: string };
}

function DecisionView({ decision }: { readonly decision: Decision }): ReactNode {
  const t = useTexts(texts);
  const format = useFormat();
  const { key, grant } = ruleKey(decision.rule, decision.allowed);
  const codes = (values: readonly string[]): ReactNode => (
    <span translate="no">
      {values.map((value) => (
        <code key={value}>{value} </code>
      ))}
    </span>
  );
  return (
    <section aria-label={t('decision')}>
      <Alert
        type={decision.allowed ? 'success' : 'error'}
        showIcon
        className="drawer-note"
        title={t(decision.allowed ? 'allowed' : 'denied')}
        description={
          <>
            {key !== null && <p>{t(`rule.${key}`, { grant })}</p>}
            <details>
              <summary>{t('reason')}</summary>
              <p translate="no">
                <code>{decision.rule}</code> {decision.reason}
              </p>
            </details>
          </>
        }
      />
      <FactList
        facts={[
          [
            t('subject'),
            <span key="subject" translate="no">
              {decision.as?.username ?? decision.subject}
            </span>,
          ],
          [t('roles'), codes(decision.roles)],
          [t('codes'), codes(decision.permissions)],
          [t('seen'), decision.as === undefined ? null : format.dateTime(decision.as.seen_at)],
        ]}
      />
    </section>
  );
}

export function ExplainTab(): ReactNode {
  const t = useTexts(texts);
  const [{ what, act, who }, setSearch] = useSearchState('what', 'act', 'who');
  const [capability, setCapability] = useState(what ?? '');
  const [person, setPerson] = useState(who ?? '');
  const [action, setAction] = useState<Action>((['view', 'use', 'manage'] as const).find((each) => each === act) ?? 'use');
  const decision = useQuery({
    queryKey: ['/api/explain', what, act, who],
    queryFn: ({ signal }) => call<Decision>('GET', `/api/explain${queryOf({ capability: what, action: act, as: who })}`, { signal }),
    enabled: what !== undefined,
  });
  return (
    <>
      <p className="form-help">{t('explainHelp')}</p>
      <Form layout="vertical" className="explain-form" onFinish={() => setSearch({ what: capability, act: action, who: person })}>
        <Form.Item label={t('who')} htmlFor="explain-person" extra={t('whoHelp')}>
          <PersonField id="explain-person" label={t('who')} value={person} onChange={setPerson} />
        </Form.Item>
        <Form.Item label={t('action')} htmlFor="explain-action">
          <Segmented<Action>
            id="explain-action"
            aria-label={t('action')}
            value={action}
            options={(['view', 'use', 'manage'] as const).map((value) => ({ value, label: t(`action.${value}`) }))}
            onChange={setAction}
          />
        </Form.Item>
        <Form.Item label={t('capability')} htmlFor="explain-capability" required>
          <ReferenceControl
            id="explain-capability"
            aria-label={t('capability')}
            disabled={false}
            reference="capability"
            value={capability}
            onChange={setCapability}
          />
        </Form.Item>
        <Form.Item>
          <Button type="primary" htmlType="submit" disabled={capability === ''} loading={decision.isFetching}>
            {t('explainNow')}
          </Button>
        </Form.Item>
      </Form>
      {decision.error !== null && <ErrorState error={decision.error} />}
      {decision.data !== undefined && <DecisionView decision={decision.data} />}
    </>
  );
}
