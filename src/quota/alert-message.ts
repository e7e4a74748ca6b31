/** The messages of a budget's alerts: amounts and names, nothing of what was asked or answered. */
import type { NewBudgetAlert } from '../storage/budget-alert-store.ts';
import type { LimitRule } from '../types/limits.ts';
import { amountText, parseAmount } from '../types/money.ts';
import type { SpentCounter } from './ledger-spend.ts';

const decimal = (microUnits: number): string => amountText(parseAmount(Math.round(microUnits) / 1_000_000) ?? 0n);

/** Whose calls the counter counts. */
function subjectOf({ spec }: LimitRule, caller: SpentCounter['caller']): object {
  const person = { issuer: caller.issuer, subject: caller.subject };
  switch (spec.subject_type) {
    case 'tenant':
      return { type: 'tenant' };
    case 'team':
      return { type: 'team', team: spec.subject };
    case 'role':
      return { type: 'role', role: spec.subject, ...(spec.shared ? {} : person) };
    case 'user':
      return { type: 'user', ...person };
    case 'client':
      return { type: 'client', client: caller.client };
    case 'key':
      return { type: 'key', key: caller.key };
    default:
      return spec.subject_type satisfies never;
  }
}

/** One alert for each threshold that the counter has reached. */
export function alertsOf({ counter, rule, caller, model, period, amount }: SpentCounter, now: number): readonly NewBudgetAlert[] {
  const thresholds = new Set(rule.spec.spend?.alerts?.at);
  // Money has fractions: the rounding error of their sum is not a shortfall.
  const reached = [...thresholds].filter((percent) => amount + 0.000_001 >= (period.limit * percent) / 100);
  return reached
    .toSorted((one, other) => one - other)
    .map((threshold) => ({
      tenant: rule.tenant,
      limitName: rule.name,
      rule: rule.id,
      counter,
      period: period.name,
      threshold,
      createdAt: now,
      periodUntil: period.until,
      body: JSON.stringify({
        type: 'budget.threshold_reached',
        timestamp: new Date(now).toISOString(),
        data: {
          tenant: rule.tenant,
          limit: rule.name,
          subject: subjectOf(rule, caller),
          capability: rule.spec.per_model ? `model/${model}` : rule.spec.capability,
          period: {
            unit: period.unit,
            time_zone: rule.timeZone,
            begins_at: period.unit === 'total' ? null : new Date(period.from).toISOString(),
            ends_at: period.unit === 'total' ? null : new Date(period.until).toISOString(),
          },
          threshold_percent: threshold,
          spent: decimal(amount),
          budget: decimal(period.limit),
          currency: rule.spec.spend?.currency,
        },
      }),
    }));
}
