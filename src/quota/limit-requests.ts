/** The counters that a call needs room in, and the amount for each. */
import type { Counted, LimitRule } from '../types/limits.ts';
import { microCeiling, microNumber, parseAmount } from '../types/money.ts';
import { costOf, type Price } from '../types/price.ts';
import type { Usage } from '../types/chat.ts';
import type { Operation } from '../types/wire-format.ts';
import type { Capability } from '../types/access.ts';
import { personRef } from '../types/person.ts';
import { type Period, periodOf, type SpendUnit, spendUnits } from './periods.ts';

export type Measure = 'spend' | 'concurrent' | 'requests' | 'tokens';

/** One counter that a call needs room in. */
export interface Demand {
  readonly rule: LimitRule;
  readonly measure: Measure;
  /** The counter's key, equal on every node. */
  readonly key: string;
  readonly limit: number;
  /** Reserved until the call ends: requests, tokens, concurrent calls, or micro-units of money. */
  readonly amount: number;
  /** When the counter restarts, epoch milliseconds; for `spend` only. */
  readonly until: number;
}

/** The target of a call that a limit may count: a model, or a tool, which has neither tokens nor a price. */
export interface Limited {
  readonly name: string;
  readonly capability: Capability;
  readonly deployments: readonly {
    readonly price: Price | null;
    readonly provider?: { readonly name?: string; readonly restricted?: boolean };
  }[];
  readonly spec: { readonly limits: { readonly total_ms: number } };
}

/** The expected size of a call in tokens. */
export interface CallSize {
  readonly inputTokens: number;
  /** For one choice; null when the request sets no limit. */
  readonly outputTokens: number | null;
  /** The number of requested choices. Default: 1. */
  readonly answers?: number;
  /** The operation. Default: `chat`. */
  readonly operation?: Operation;
  /** Units other than tokens. */
  readonly units?: Omit<Partial<Usage>, 'inputTokens' | 'outputTokens'>;
}

/** The size of a call whose usage is known in advance, and that has no output tokens. */
export function sizeOfUsage({ inputTokens, outputTokens, ...units }: Usage): CallSize {
  return { inputTokens, outputTokens, units };
}

/** Empty when all subjects of the rule share one counter. */
export function whoIsCounted({ spec: { subject_type: type, shared } }: LimitRule, { issuer, subject, client, key }: Counted): string {
  switch (type) {
    case 'tenant':
    case 'team':
      return '';
    case 'role':
      return shared ? '' : personRef({ issuer, subject });
    case 'client':
      return client ?? '';
    case 'key':
      return key ?? '';
    case 'user':
      return personRef({ issuer, subject });
    default:
      return type satisfies never;
  }
}

/** The key of a rule's counter for this caller and model, without measure and time. Braces keep a tenant's keys on one node of a Redis cluster. */
export function counterKey(rule: LimitRule, caller: Counted, model: string): string {
  const { per_model: perModel } = rule.spec;
  return `{${encodeURIComponent(rule.tenant)}}:${rule.id}:${encodeURIComponent(whoIsCounted(rule, caller))}:${perModel ? encodeURIComponent(model) : ''}`;
}

interface Budget {
  readonly unit: SpendUnit;
  /** Micro-units. */
  readonly limit: number;
}

/** Parsed once for each rule, because every call asks for them. */
const budgets = new WeakMap<LimitRule, readonly Budget[]>();

function budgetsOf(rule: LimitRule): readonly Budget[] {
  let found = budgets.get(rule);
  if (found === undefined) {
    const { spend } = rule.spec;
    const amounts = { day: spend?.per_day, week: spend?.per_week, month: spend?.per_month, total: spend?.total };
    found = spendUnits.flatMap((unit) => {
      const amount = amounts[unit];
      return amount === undefined ? [] : [{ unit, limit: microNumber(parseAmount(amount) ?? 0n) }];
    });
    budgets.set(rule, found);
  }
  return found;
}

/** The periods in which a rule counts money, with the limit of each in micro-units. */
export function spendPeriods(rule: LimitRule, now: number): readonly (Period & { readonly limit: number })[] {
  return budgetsOf(rule).map(({ unit, limit }) => ({ ...periodOf(unit, rule.timeZone, now), limit }));
}

/** True when all deployments are at a developer's own providers. */
const isOwn = ({ deployments }: Pick<Limited, 'deployments'>): boolean =>
  deployments.length > 0 && deployments.every(({ provider }) => provider?.restricted === true);

/** The highest cost of `usage` at any deployment, in micro-units of `currency`. Null when a deployment has no price in it for the operation. */
export function highestCost(
  model: Pick<Limited, 'deployments'>,
  currency: string,
  operation: Operation,
  usage: Usage,
  now: number,
): number | null {
  let highest = 0;
  for (const { price, provider } of model.deployments) {
    // A developer's own vendor does not cost the company money.
    if (provider?.restricted === true) continue;
    const cost = price === null || price.currency !== currency ? null : costOf(price, operation, usage, now);
    if (cost === null) return null;
    highest = Math.max(highest, microCeiling(cost));
  }
  return highest;
}

/** The counters that `rules` need for this call. Money comes first: a caller without budget gets that error. `unpriced` is called for each money rule when the model's price is unknown. */
export function limitRequestsOf(
  rules: readonly LimitRule[],
  caller: Counted,
  model: Pick<Limited, 'name' | 'deployments'>,
  size: () => CallSize | null,
  now: number,
  unpriced: (rule: LimitRule) => void,
): readonly Demand[] {
  const spend: Demand[] = [];
  const others: Demand[] = [];
  let measured: CallSize | null | undefined;
  for (const rule of rules) {
    const { spec } = rule;
    const key = counterKey(rule, caller, model.name);
    const add = (measure: Measure, limit: number | undefined, amount: number): void => {
      if (limit !== undefined) others.push({ rule, measure, key: `${key}:${measure}`, limit, amount, until: 0 });
    };
    add('concurrent', spec.concurrent_calls, 1);
    add('requests', spec.requests_per_minute, 1);
    if (spec.tokens_per_minute === undefined && spec.spend === undefined) continue;
    if (measured === undefined) measured = size();
    // The call uses neither, so no room is required.
    if (measured === null) continue;
    const { inputTokens, outputTokens, answers = 1 } = measured;
    const expected = (outputTokens ?? spec.expected_output_tokens) * answers;
    add('tokens', spec.tokens_per_minute, inputTokens + expected);
    if (spec.spend === undefined || isOwn(model)) continue;
    const usage: Usage = { ...measured.units, inputTokens, outputTokens: expected };
    const cost = highestCost(model, spec.spend.currency, measured.operation ?? 'chat', usage, now);
    if (cost === null) unpriced(rule);
    for (const { name, limit, until } of spendPeriods(rule, now))
      spend.push({ rule, measure: 'spend', key: `${key}:${name}`, limit, amount: cost ?? 0, until });
  }
  return spend.length === 0 ? others : [...spend, ...others];
}
