/** The budgets of a tenant in their current periods: what each has spent and what is left, by the ledger. */
import type { SpendReader } from '../storage/spend-reader.ts';
import type { Counted, LimitRule } from '../types/limits.ts';
import { isPerson, personRef } from '../types/person.ts';
import type { TenantView } from '../types/snapshot.ts';
import { spentCounters } from './ledger-spend.ts';
import { spendPeriods, whoIsCounted } from './limit-requests.ts';
import type { Period } from './periods.ts';

/** One budget of one subject in one period. */
export interface BudgetState {
  readonly rule: LimitRule;
  /** The person, client or key that is counted alone; null when all subjects of the limit share one count. */
  readonly counted: string | null;
  /** With `per_model`: the model; otherwise null. */
  readonly model: string | null;
  readonly period: Period;
  /** Micro-units. */
  readonly spent: number;
  /** Micro-units. */
  readonly amount: number;
}

/** True when the budget counts this person alone. */
function countsAlone({ spec: { subject_type: type, subject, shared } }: LimitRule, person: Counted): boolean {
  if (type === 'user') return subject === '*' || isPerson(person, subject);
  return type === 'role' && !shared && person.roles.includes(subject);
}

/** The only counter of a rule before anything was spent. Undefined when the rule has several counters. */
function onlyCounter({ spec: { subject_type: type, subject, shared, per_model: perModel } }: LimitRule): string | null | undefined {
  if (perModel) return undefined;
  if (type === 'tenant' || type === 'team' || (type === 'role' && shared)) return null;
  return type === 'role' || subject === '*' ? undefined : subject;
}

const shareOf = ({ spent, amount }: BudgetState): number => spent / amount;

/**
 * The budgets, the fullest first. `person`: only those that count this person alone; null for all of the tenant.
 * Calls in progress are not in them. Rejects with `storage_unavailable`.
 */
export async function budgetStates(
  reader: SpendReader,
  {
    tenant,
    view,
    now,
    person,
  }: { readonly tenant: string; readonly view: TenantView; readonly now: number; readonly person: Counted | null },
): Promise<readonly BudgetState[]> {
  const inForce = ({ spec }: LimitRule): boolean => spec.expires_at === null || Date.parse(spec.expires_at) > now;
  const isWanted = (rule: LimitRule): boolean =>
    rule.spec.spend !== undefined && inForce(rule) && (person === null || countsAlone(rule, person));
  const counters = [...(await spentCounters(reader, { tenant, view, now }, isWanted, person)).values()].filter(
    ({ caller }) => person === null || isPerson(person, personRef(caller)),
  );
  const states: BudgetState[] = counters.map(({ rule, caller, model, period, amount }) => ({
    rule,
    counted: whoIsCounted(rule, caller) || null,
    model: rule.spec.per_model ? model : null,
    period,
    spent: amount,
    amount: period.limit,
  }));
  const known = new Set(states.map(({ rule, period }) => `${rule.id} ${period.unit}`));
  const wanted = view.limits.rules.filter(isWanted);
  const replaced = new Set(person === null ? [] : wanted.flatMap(({ spec }) => spec.replaces ?? []));
  for (const rule of wanted) {
    const counted = person === null || rule.spec.per_model ? onlyCounter(rule) : personRef(person);
    if (counted === undefined || replaced.has(rule.name)) continue;
    for (const period of spendPeriods(rule, now))
      if (!known.has(`${rule.id} ${period.unit}`)) states.push({ rule, counted, model: null, period, spent: 0, amount: period.limit });
  }
  return states.toSorted((one, other) => shareOf(other) - shareOf(one) || (one.rule.name < other.rule.name ? -1 : 1));
}
