/** What the ledger knows was spent, by the counters of the limits that count it. */
import { setImmediate as nextTurn } from 'node:timers/promises';
import type { SpendReader } from '../storage/spend-reader.ts';
import type { Counted, LimitRule } from '../types/limits.ts';
import type { PersonId } from '../types/person.ts';
import type { TenantView } from '../types/snapshot.ts';
import { counterKey, spendPeriods } from './limit-requests.ts';
import type { Period } from './periods.ts';

/** One counter of money in its current period. */
export interface SpentCounter {
  /** Without the period. */
  readonly counter: string;
  readonly rule: LimitRule;
  /** One caller whom the counter counts. */
  readonly caller: Counted;
  readonly model: string;
  readonly period: Period & { readonly limit: number };
  /** Micro-units. */
  readonly amount: number;
}

/** Costs that are added up in one turn of the event loop. A company has one for each person and model. */
const atOnce = 500;

/** The counters of the rules that `isWanted` accepts, by counter and period. `person`: of this one alone. Rejects with `storage_unavailable`. */
export async function spentCounters(
  reader: SpendReader,
  { tenant, view, now }: { readonly tenant: string; readonly view: TenantView; readonly now: number },
  isWanted: (rule: LimitRule) => boolean,
  person: PersonId | null = null,
): Promise<ReadonlyMap<string, SpentCounter>> {
  const counters = new Map<string, SpentCounter>();
  const wanted = view.limits.rules.filter(isWanted);
  const moments = [...new Set(wanted.flatMap((rule) => spendPeriods(rule, now).map(({ from }) => from)))];
  for (const [index, spent] of (await reader.since(tenant, moments, person)).entries()) {
    if (index % atOnce === atOnce - 1) await nextTurn();
    const entry = view.models.get(spent.model);
    const capability = { kind: 'model', name: spent.model, tags: entry?.capability.tags ?? [] } as const;
    for (const rule of view.limits.find(spent, capability, entry?.deployments)) {
      if (rule.spec.spend?.currency !== spent.currency || !isWanted(rule)) continue;
      for (const period of spendPeriods(rule, now)) {
        const counter = counterKey(rule, spent, spent.model);
        const key = `${counter}:${period.name}`;
        const amount = (counters.get(key)?.amount ?? 0) + (spent.since[moments.indexOf(period.from)] ?? 0);
        counters.set(key, { counter, rule, caller: spent, model: spent.model, period, amount });
      }
    }
  }
  return counters;
}
