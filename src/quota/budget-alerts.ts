/** Watches budgets with alerts: reads the ledger after a call was settled, stores the thresholds that were reached, and starts their delivery. Off the path of a call. */
import type { BudgetAlertStore } from '../storage/budget-alert-store.ts';
import type { SpendReader } from '../storage/spend-reader.ts';
import type { LimitRule } from '../types/limits.ts';
import type { Logger } from '../types/logger.ts';
import { monotonicNow } from '../scheduling/monotonic-clock.ts';
import type { Snapshot } from '../types/snapshot.ts';
import { alertsOf } from './alert-message.ts';
import { spentCounters } from './ledger-spend.ts';

export interface BudgetAlerts extends AsyncDisposable {
  /** Something was spent under a budget with alerts. Never throws and never waits. */
  spent(tenant: string): void;
  /** Reads all budgets when `snapshot` has other alerts than before. */
  follow(snapshot: Snapshot): void;
}

export interface BudgetAlertsOptions {
  readonly store: BudgetAlertStore;
  readonly reader: SpendReader;
  readonly current: () => Snapshot;
  /** Writes buffered records to the ledger first. */
  readonly flush: () => Promise<void>;
  readonly deliver: () => Promise<number | null>;
  readonly logger: Logger;
}

/** Calls that end within this time share one reading. */
const gatherMs = 500;
/** The pause after a reading, in multiples of its duration. */
const restFactor = 20;
/** Once more after the last call: for what reached the ledger late, by way of the disk or from another node. */
const againMs = 30_000;
/** The longest wait for alerts of a dead node. */
const pollMs = 30_000;
/** The retention of closed alerts after the end of their period. */
const keepMs = 7 * 86_400_000;

export const hasAlerts = ({ spec }: LimitRule): boolean => spec.spend?.alerts !== undefined;

function alertRulesOf(snapshot: Snapshot): string {
  const rules = [...snapshot.tenants.values()].flatMap(({ limits }) => limits.rules.filter(hasAlerts));
  return rules
    .map(({ id, spec }) => `${id} ${JSON.stringify(spec.spend)}`)
    .toSorted()
    .join('\n');
}

/** A timer that keeps the earlier of two moments. */
function createWaker(work: () => void): { readonly at: (moment: number) => void; readonly stop: () => void } {
  let timer: NodeJS.Timeout | undefined;
  let due = Infinity;
  const stop = (): void => clearTimeout(timer);
  return {
    stop,
    at(moment) {
      if (moment >= due) return;
      stop();
      due = moment;
      timer = setTimeout(
        () => {
          due = Infinity;
          work();
        },
        Math.max(0, moment - monotonicNow()),
      );
      timer.unref();
    },
  };
}

export function createBudgetAlerts(options: BudgetAlertsOptions): BudgetAlerts {
  const { store, reader, current, flush, deliver, logger } = options;
  const waiting = new Set<string>();
  let rules = '';
  let closed = false;
  let notBefore = 0;
  let reading: Promise<void> = Promise.resolve();
  let delivering: Promise<void> = Promise.resolve();

  const deliveries = createWaker(() => {
    delivering = delivering.then(async () => {
      if (closed) return;
      let next: number | null = null;
      try {
        next = await deliver();
      } catch (error) {
        logger.debug({ err: error }, 'alerts of budgets cannot be read; trying again');
      }
      if (!closed) deliveries.at(monotonicNow() + Math.max(0, Math.min((next ?? Infinity) - Date.now(), pollMs)));
    });
  });

  const look = async (tenant: string): Promise<void> => {
    const view = current().tenants.get(tenant);
    if (view === undefined || !view.limits.rules.some(hasAlerts)) return;
    const now = Date.now();
    const counters = await spentCounters(reader, { tenant, view, now }, hasAlerts);
    const reached = [...counters.values()].flatMap((counter) => alertsOf(counter, now));
    if (reached.length > 0 && (await store.add(reached)) > 0) deliveries.at(monotonicNow());
  };

  /** The time of the late reading of each tenant, by `monotonicNow`. */
  const late = new Map<string, number>();
  const lateReadings = createWaker(() => {
    const now = monotonicNow();
    for (const [tenant, moment] of late) {
      // A call after the one that set the timer moves the reading.
      if (moment > now) {
        lateReadings.at(moment);
        continue;
      }
      late.delete(tenant);
      waiting.add(tenant);
    }
    if (waiting.size > 0) readings.at(Math.max(now, notBefore));
  });
  const readings = createWaker(() => {
    reading = reading.then(async () => {
      if (closed || waiting.size === 0) return;
      const tenants = [...waiting];
      waiting.clear();
      const begun = performance.now();
      try {
        await flush();
        for (const tenant of tenants) await look(tenant);
        await store.prune(Date.now() - keepMs);
      } catch (error) {
        logger.warn({ err: error }, 'budgets with alerts cannot be read from the ledger; trying again');
        for (const tenant of tenants) waiting.add(tenant);
        notBefore = monotonicNow() + 5_000;
        if (!closed) readings.at(notBefore);
        return;
      }
      notBefore = monotonicNow() + restFactor * (performance.now() - begun);
    });
  });

  deliveries.at(monotonicNow());
  return {
    spent(tenant) {
      if (closed) return;
      const now = monotonicNow();
      waiting.add(tenant);
      late.set(tenant, now + againMs);
      readings.at(Math.max(now + gatherMs, notBefore));
      lateReadings.at(now + againMs);
    },
    follow(snapshot) {
      const next = alertRulesOf(snapshot);
      if (closed || next === rules) return;
      rules = next;
      for (const [tenant, { limits }] of snapshot.tenants) if (limits.rules.some(hasAlerts)) waiting.add(tenant);
      readings.at(monotonicNow());
    },
    async [Symbol.asyncDispose]() {
      closed = true;
      for (const waker of [readings, lateReadings, deliveries]) waker.stop();
      await reading;
      await delivering;
    },
  };
}
