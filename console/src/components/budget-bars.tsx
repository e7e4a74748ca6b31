/** Budgets as bars: what is spent, what is left, and until when. Nothing where no budget counts money. */
import { Progress } from 'antd';
import type { ReactNode } from 'react';
import { type BudgetState, useBudgets } from '../api/budgets.ts';
import { useFormat } from '../i18n/format.ts';
import { useTexts } from '../i18n/texts.ts';
import './budget-bars.css';
import { ErrorState } from './error-state.tsx';
import { texts } from './texts.ts';

/** From this share on a budget is shown as nearly used up. */
const nearlyFull = 0.8;

function BudgetBar({ budget }: { readonly budget: BudgetState }): ReactNode {
  const t = useTexts(texts);
  const format = useFormat();
  const { limit, counted, model, capability, period, until, currency, spent, amount, left } = budget;
  const share = spent / amount;
  const names = [limit, counted, model ?? (capability === 'model/*' ? null : capability)].filter((name) => name !== null);
  const label = `${names.join(' · ')} · ${t(`budget.${period}`)}`;
  return (
    <li>
      <div className="budget-names">
        <span>
          <span translate="no">{names.join(' · ')}</span> · {t(`budget.${period}`)}
        </span>
        <span>{t('budget.spent', { spent: format.money(spent, currency), amount: format.money(amount, currency) })}</span>
      </div>
      <Progress
        aria-label={label}
        percent={Math.min(100, Math.round(share * 100))}
        status={share >= 1 ? 'exception' : 'normal'}
        showInfo={false}
        size="small"
        {...(share >= nearlyFull && share < 1 ? { strokeColor: '#d46b08' } : {})}
      />
      <div className="budget-notes">
        <span>
          {share >= 1 ? t('budget.full') : t('budget.left', { left: format.money(left, currency), share: format.percent(share) })}
        </span>
        <span>{until === null ? t('budget.never') : t('budget.until', { moment: format.dateTime(until) })}</span>
      </div>
    </li>
  );
}

export function BudgetBars(): ReactNode {
  const t = useTexts(texts);
  const report = useBudgets();
  if (report.error !== null) return <ErrorState error={report.error} onRetry={() => void report.refetch()} />;
  if (report.data === undefined || report.data.data.length === 0) return null;
  const { data, total } = report.data;
  return (
    <section aria-label={t('budgets')} className="budgets">
      <h2 className="drawer-heading">{t('budgets')}</h2>
      <ul className="budget-list">
        {data.map((budget) => (
          <BudgetBar key={[budget.limit, budget.counted, budget.model, budget.period].join(' ')} budget={budget} />
        ))}
      </ul>
      <p className="budget-notes">{t(total > data.length ? 'budget.some' : 'budget.by', { shown: data.length, total })}</p>
    </section>
  );
}
