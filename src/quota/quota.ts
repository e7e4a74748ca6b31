/** The quota step of a call: reserves room in every applicable limit, and settles the actual use at the end. */
import { randomUUID } from 'node:crypto';
import type { Principal } from '../types/access.ts';
import { GatewayError } from '../types/errors.ts';
import type { LimitRule } from '../types/limits.ts';
import type { Logger } from '../types/logger.ts';
import type { RunRecord } from '../types/run.ts';
import type { TenantView } from '../types/snapshot.ts';
import { type CallSize, type Demand, limitRequestsOf, type Limited } from './limit-requests.ts';
import { hasAlerts } from './budget-alerts.ts';
import { createMemoryStore } from './memory-store.ts';
import { rateLimitHeaders, limitExceeded, unknownPrice } from './limit-errors.ts';
import type { Place, QuotaStore, Verdict } from './counter-store.ts';
import { monotonicNow } from '../scheduling/monotonic-clock.ts';

/** What of a run's record its limits count. */
export type Settled = Pick<RunRecord, 'usage' | 'cost' | 'costFemto' | 'currency' | 'unbudgeted'>;

/** The result of a reservation. */
export interface Admission {
  /** For the response, also that of a refused call. */
  readonly headers: Readonly<Record<string, string>>;
  /** The error to throw, or null. */
  readonly refused: GatewayError | null;
  /** Settles the actual use. Called once. Null returns everything, including the request, because another model answers. */
  settle(run: Settled | null): void;
  /** Settles a call whose process died: the reserved requests and tokens count, and its money is what the ledger has. Does nothing after `settle`. */
  abandon?(): void;
}

/** A call whose body has not been read: only its caller is known. */
export interface Arrival {
  /** The error to throw, or null. Calling it counts as a refusal. */
  readonly refuse: (() => GatewayError) | null;
  /** For the response of a refused call. */
  readonly headers: Readonly<Record<string, string>>;
  /** Called when the body has arrived or will not arrive. Safe to call twice. */
  leave(): void;
}

/** What happens to calls while Redis, which counts for all nodes, is unavailable. */
export type WithoutRedis = 'local' | 'refuse';

export interface Quota {
  /** Null when no limit applies. Never rejects, and is synchronous unless the counters are in Redis. `size`: null for a call that only counts as a request. */
  take(view: TenantView, principal: Principal, limited: Limited, size: () => CallSize | null): Admission | null | Promise<Admission>;
  /** The second half of `take`, for a call of a worker process: it has demands. `leaseMs`: the longest duration of the call. */
  reserve(demands: readonly Demand[], leaseMs: number): Admission | Promise<Admission>;
  /** Checks the limits that apply to every model call of this caller, by this node's knowledge. Reserves only a slot for the arriving body. Null when no such limit exists. */
  arrive(view: TenantView, principal: Principal): Arrival | null;
  /** The second half of `arrive`, for a body that a worker process receives. */
  arriving(demands: readonly Demand[]): Arrival;
  /** Raises a period's spend to the amount in the ledger. Rejects with the error of the store. */
  spent(key: string, amount: number, until: number): Promise<void>;
}

export interface QuotaOptions {
  readonly logger: Logger;
  /** Counters for all nodes; null when each process counts separately. */
  readonly shared: QuotaStore | null;
  readonly withoutRedis: WithoutRedis;
  readonly onRefusal?: (rule: string, measure: string) => void;
  /** A call was settled that a budget with alerts counts. */
  readonly onSpent?: (tenant: string) => void;
}

/** After the latest end of its calls, the reservations of a dead node expire after this time. */
const leaseGraceMs = 60_000;

/** The actual use of a call, in the measures of its requests. */
function actualOf(demands: readonly Demand[], run: Settled | null): number[] {
  const tokens = run?.usage === null || run === null ? 0 : run.usage.inputTokens + run.usage.outputTokens;
  return demands.map(({ measure, rule }) => {
    if (run === null || measure === 'concurrent') return 0;
    if (measure === 'requests') return 1;
    if (measure === 'tokens') return tokens;
    if (run.unbudgeted === true) return 0;
    return run.currency === rule.spec.spend?.currency ? (run.cost ?? 0) + (run.costFemto ?? 0) / 1_000_000_000 : 0;
  });
}

/** A period of money ends by the wall clock, whatever clock the windows have. */
const waitOf = ({ measure, until }: Demand, waitMs: number): number =>
  measure === 'spend' && Number.isFinite(waitMs) ? Math.max(0, until - Date.now()) : waitMs;

/** The demands of a call on its limits. Null when no limit applies; the error when a budget needs a price that the model lacks. */
export function demandsOf(
  view: TenantView,
  principal: Principal,
  limited: Limited,
  size: () => CallSize | null,
): readonly Demand[] | GatewayError | null {
  const rules = view.limits.find(principal, limited.capability, limited.deployments);
  if (rules.length === 0) return null;
  let unpriced: LimitRule | null = null;
  const demands = limitRequestsOf(rules, principal, limited, size, Date.now(), (rule) => {
    if (rule.spec.unknown_price === 'refuse') unpriced ??= rule;
  });
  return unpriced === null ? demands : unknownPrice(unpriced, limited.name);
}

/** An admission that reserves nothing. */
export const refusedAdmission = (refused: GatewayError): Admission => ({ headers: {}, refused, settle: () => {} });

/** Rules with patterns for single models or tags do not match it. */
const anyModel = { kind: 'model', name: '', tags: [] } as const;
const nameless: Pick<Limited, 'name' | 'deployments'> = { name: '', deployments: [] };

/** What a call demands of the limits that apply to every model call of this caller. Null without such a limit. */
export function arrivalDemandsOf(view: TenantView, principal: Principal): readonly Demand[] | null {
  const rules = view.limits.find(principal, anyModel).filter(({ spec }) => !spec.per_model);
  if (rules.length === 0) return null;
  const demands = limitRequestsOf(
    rules,
    principal,
    nameless,
    () => null,
    Date.now(),
    () => {},
  );
  return demands.length === 0 ? null : demands;
}

export function createQuota({ logger, shared, withoutRedis, onRefusal, onSpent }: QuotaOptions): Quota {
  const local = createMemoryStore();
  // Nodes agree on a minute by the wall clock alone. A step of it starts other windows in Redis, where each expires by itself.
  const windowNow = shared === null ? monotonicNow : () => Date.now();
  let away = false;

  const admission = (place: Place, verdict: Verdict, store: Pick<QuotaStore, 'settle'>): Admission => {
    const headers = rateLimitHeaders(place.demands, verdict, place.at);
    if (verdict.refused !== null) {
      const demand = place.demands[verdict.refused] as Demand;
      onRefusal?.(demand.rule.name, demand.measure);
      return { headers, refused: limitExceeded(demand, waitOf(demand, verdict.counters[verdict.refused]?.waitMs ?? 0)), settle: () => {} };
    }
    let settled = false;
    return {
      headers,
      refused: null,
      settle(run) {
        if (settled) return;
        settled = true;
        store.settle(place, actualOf(place.demands, run));
        if (run === null || onSpent === undefined) return;
        const alerting = place.demands.find(({ measure, rule }) => measure === 'spend' && hasAlerts(rule));
        if (alerting !== undefined) onSpent(alerting.rule.tenant);
      },
      abandon() {
        if (settled) return;
        settled = true;
        store.settle(
          place,
          place.demands.map(({ measure, amount }) => (measure === 'requests' || measure === 'tokens' ? amount : 0)),
        );
      },
    };
  };

  const takeLocal = (place: Place): Admission => admission(place, local.take(place), local);

  /** The shared store, with the calls of this process that the local one knows. */
  const followed: Pick<QuotaStore, 'settle'> = {
    settle(place, actual) {
      shared?.settle(place, actual);
      local.unfollow(place.demands);
    },
  };

  const takeShared = async (store: QuotaStore, place: Place, leaseUntil: number): Promise<Admission> => {
    try {
      const verdict = await store.take(place, leaseUntil);
      if (away) logger.info({}, 'limits are counted for all nodes again');
      away = false;
      // So that this node goes on from these counts when it must count alone.
      local.follow(place.demands, verdict, monotonicNow());
      return admission(place, verdict, followed);
    } catch (error) {
      if (!away) logger.warn({ err: error, withoutRedis }, 'Redis is away: limits are not counted for all nodes');
      away = true;
      if (withoutRedis === 'local') return takeLocal({ ...place, at: monotonicNow() });
      const refused = new GatewayError('limits_unavailable', 'The service that counts limits cannot be reached. Try again soon.', {
        retryAfterSeconds: 5,
        cause: error,
      });
      return refusedAdmission(refused);
    }
  };

  const reserve = (demands: readonly Demand[], leaseMs: number): Admission | Promise<Admission> => {
    const at = windowNow();
    const place: Place = { id: randomUUID(), demands, at };
    return shared === null ? takeLocal(place) : takeShared(shared, place, at + leaseMs + leaseGraceMs);
  };

  /** The number of arriving bodies, by the concurrency counter that their calls will need. */
  const arrivingBy = new Map<string, number>();
  const count = (key: string, by: number): void => {
    const bodies = (arrivingBy.get(key) ?? 0) + by;
    if (bodies > 0) arrivingBy.set(key, bodies);
    else arrivingBy.delete(key);
  };
  const isFullWithArriving = ({ measure, key, limit }: Demand, used: number): boolean =>
    measure === 'concurrent' && used + (arrivingBy.get(key) ?? 0) >= limit;

  const arriving = (demands: readonly Demand[]): Arrival => {
    const at = windowNow();
    const verdict = (shared ?? local).peek(demands, at);
    const refused = verdict.refused ?? demands.findIndex((demand, index) => isFullWithArriving(demand, verdict.counters[index]?.used ?? 0));
    const full = demands[refused];
    if (full !== undefined) {
      const refuse = (): GatewayError => {
        onRefusal?.(full.rule.name, full.measure);
        return limitExceeded(full, Math.max(verdict.counters[refused]?.waitMs ?? 0, 1_000));
      };
      return { refuse, headers: rateLimitHeaders(demands, { ...verdict, refused }, at), leave: () => {} };
    }
    const keys = demands.filter(({ measure }) => measure === 'concurrent').map(({ key }) => key);
    for (const key of keys) count(key, 1);
    return {
      refuse: null,
      headers: {},
      leave() {
        for (const key of keys.splice(0)) count(key, -1);
      },
    };
  };

  return {
    arrive(view, principal) {
      const demands = arrivalDemandsOf(view, principal);
      return demands === null ? null : arriving(demands);
    },
    arriving,
    take(view, principal, limited, size) {
      const demands = demandsOf(view, principal, limited, size);
      if (demands === null) return null;
      return demands instanceof GatewayError ? refusedAdmission(demands) : reserve(demands, limited.spec.limits.total_ms);
    },
    reserve,
    async spent(key, amount, until) {
      local.atLeast(key, amount, until);
      await shared?.atLeast(key, amount, until);
    },
  };
}
