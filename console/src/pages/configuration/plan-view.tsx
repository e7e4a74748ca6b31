/** What an import would change, row by row, as the gateway has validated it. */
import { Tag } from 'antd';
import type { ReactNode } from 'react';
import type { Difference } from '../../components/differences.ts';
import { DifferencesTable } from '../../components/differences-table.tsx';
import { Revealed } from '../../components/revealed.tsx';
import { useTexts } from '../../i18n/texts.ts';
import { texts } from './texts.ts';

export interface Plan {
  readonly revision: number;
  readonly unchanged: number;
  readonly changes: readonly {
    readonly action: 'create' | 'update' | 'delete';
    readonly kind: string;
    readonly name: string;
    readonly differences: readonly Difference[];
    /** Absent for a row of one tenant alone. */
    readonly tenants?: readonly string[];
  }[];
}

const acts = { create: 'created', update: 'changed', delete: 'deleted' } as const;
const colors = { create: 'success', update: 'processing', delete: 'error' } as const;

export function PlanView({ plan }: { readonly plan: Plan }): ReactNode {
  const t = useTexts(texts);
  return (
    <Revealed>
      <section aria-label={t('planTitle')}>
        <h2 className="drawer-heading">{t('planTitle')}</h2>
        <p>{t('planSum', { changes: plan.changes.length, unchanged: plan.unchanged })}</p>
        {plan.changes.map(({ action, kind, name, differences, tenants }) => (
          <div key={`${kind} ${name}`} className="plan-change">
            <p>
              <Tag color={colors[action]}>{t(`act.${acts[action]}`)}</Tag>
              <code translate="no">
                {kind} {name}
              </code>
              {action === 'update' && differences.length === 0 && ` ${t('planSecret')}`}
            </p>
            {tenants !== undefined && (
              <p>{tenants.includes('*') ? t('planEveryTenant') : t('planTenants', { tenants: tenants.join(', ') })}</p>
            )}
            {differences.length > 0 && <DifferencesTable differences={differences} before={t('before')} after={t('after')} />}
          </div>
        ))}
      </section>
    </Revealed>
  );
}
