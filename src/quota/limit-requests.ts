/** What one call asks of the limits that count it: which counters, and how much of each. */
import type { Counted, LimitRule } from '../types/limits.ts';
import { microCeiling, microNumber, parseAmount } from '../types/money.ts';
import { costOf, type Price } from '../types/price.ts';
import type { Usage } from '../types/chat.ts';
import type { Operation } from '../types/wire-format.ts';
import type { Capability } from '../types/access.ts';
import { personRef } from '../types/person.ts';
import { type Period, periodOf, spendUnits } from './periods.ts';

export type Measure = 'spend' | 'concurrent' | 'requests' | 'tokens';

/** One counter that a call needs room in. */
export interface Demand {
  readonly rule: LimitRule;
  readonly measure: Measure;
  /** The counter, the same on every node. */
  readonly key: string;
  readonly limit: number;
  /** Set aside until the call has ended: requests, tokens, places, or micro-units of money. */
  readonly amount: number;
  /** When the counter begins anew, epoch milliseconds; only for `spend`. */
  readonly until: number;
}

/** What a limit may count the calls of: a model, or a tool, which has neither tokens nor a price. */
export interface Limited {
  readonly name: string;
  readonly capability: Capability;
  readonly deployments: readonly {
    readonly price: Price | null;
    readonly provider?: { readonly name?: string; readonly restricted?: boolean };
  }[];
  readonly spec: { readonly limits: { readonly total_ms: number } };
}

/** How large a call may become, in tokens. */
export interface CallSize {
  readonly inputTokens: number;
  /** Of one answer; null: it does not say. */
  readonly outputTokens: number | null;
  /** How many answers are asked for; 1 unless said. */
  readonly answers?: number;
  /** What is asked of the model; `chat` unless said. */
  readonly operation?: Operation;
  /** What is counted in other units than tokens. */
  readonly units?: Omit<Partial<Usage>, 'inputTokens' | 'outputTokens'>;
}

/** Room for what is about to be used, where nothing is answered in tokens. */
export function sizeOfUsage({ inputTokens, outputTokens, ...units }: Usage): CallSize {
  return { inputTokens, outputTokens, units };
}

/** Empty where everybody whom the rule counts shares one count. */
function whoIsCounted({ spec: { subject_type: type, shared } }: LimitRule, { issuer, subject, client, key }: Counted): string {
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

/** The key of a rule's counter for this caller and this model, without measure and time. Braces keep a tenant's keys on one node of a cluster. */
export function counterKey(rule: LimitRule, caller: Counted, model: string): string {
  const { per_model: perModel } = rule.spec;
  return `{${encodeURIComponent(rule.tenant)}}:${rule.id}:${encodeURIComponent(whoIsCounted(rule, caller))}:${perModel ? encodeURIComponent(model) : ''}`;
}

const microOf = (amount: string | number): number => microNumber(parseAmount(amount) ?? 0n);

/** The periods in which a rule counts money, with what each allows in micro-units. */
export function spendPeriods(rule: LimitRule, now: number): readonly (Period & { readonly limit: number })[] {
  const { spend } = rule.spec;
  if (spend === undefined) return [];
  const amounts = { day: spend.per_day, week: spend.per_week, month: spend.per_month, total: spend.total };
  return spendUnits.flatMap((unit) => {
    const amount = amounts[unit];
    return amount === undefined ? [] : [{ ...periodOf(unit, spend.time_zone, now), limit: microOf(amount) }];
  });
}

/** All deployments are at providers of a developer's own. */
const isOwn = ({ deployments }: Pick<Limited, 'deployments'>): boolean =>
  deployments.length > 0 && deployments.every(({ provider }) => provider?.restricted === true);

/** The most that a call that uses `usage` costs at any deployment, in micro-units of `currency`; null where one has no price in it for the operation. */
export function highestCost(
  model: Pick<Limited, 'deployments'>,
  currency: string,
  operation: Operation,
  usage: Usage,
  now: number,
): number | null {
  let highest = 0;
  for (const { price, provider } of model.deployments) {
    // What a developer says that their own vendor costs is no money of the company.
    if (provider?.restricted === true) continue;
    const cost = price === null || price.currency !== currency ? null : costOf(price, operation, usage, now);
    if (cost === null) return null;
    highest = Math.max(highest, microCeiling(cost));
  }
  return highest;
}

/**
 * The counters that `rules` want room in for this call. Money first: whoever has none left need not hear of the rest.
 * `unpriced` is told of each rule that counts money and cannot know the model's price.
 */
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
    // It uses neither, so that nothing of either must be left.
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
