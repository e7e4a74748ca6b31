/** Synchronises the money counters with the ledger: after a start, for a new limit, after the end of a limit, and when Redis is back. The ledger is authoritative. */
import type { SpendReader } from '../storage/spend-reader.ts';
import type { Logger } from '../types/logger.ts';
import type { Snapshot, TenantView } from '../types/snapshot.ts';
import { spentCounters } from './ledger-spend.ts';
import type { Quota } from './quota.ts';

export interface LedgerSync {
  /** Reads the ledger for all money limits. Retried later when that fails. */
  refresh(): void;
  /** Reads again when `snapshot` has other money limits than before. */
  follow(snapshot: Snapshot): void;
  /** Resolves when no read is in progress. */
  settled(): Promise<void>;
  close(): void;
}

const retryMs = 5_000;
const dayMs = 86_400_000;

/** The rules that decide which money counters a call needs. */
function spendRules({ limits }: TenantView): string[] {
  return limits.rules
    .filter(({ spec }) => spec.spend !== undefined || spec.replaces !== undefined)
    .map(({ id, spec }) => `${id} ${JSON.stringify([spec.spend, spec.replaces, spec.expires_at])}`);
}

/** When the next limit ends, epoch milliseconds: the limit that it replaced counts again. Infinity when none ends. */
function nextEnd(snapshot: Snapshot, now: number): number {
  let next = Infinity;
  for (const { limits } of snapshot.tenants.values())
    for (const { spec } of limits.rules) {
      const end = spec.expires_at === null ? Infinity : Date.parse(spec.expires_at);
      if (end > now) next = Math.min(next, end);
    }
  return next;
}

function rulesOf(snapshot: Snapshot): string {
  return [...snapshot.tenants.values()].flatMap(spendRules).toSorted().join('\n');
}

export function createLedgerSync(options: {
  readonly quota: Quota;
  readonly reader: SpendReader;
  readonly current: () => Snapshot;
  /** Writes buffered records to the ledger first. */
  readonly flush: () => Promise<void>;
  readonly logger: Logger;
}): LedgerSync {
  const { quota, reader, logger } = options;
  let rules = '';
  let again: NodeJS.Timeout | undefined;
  let closed = false;
  let queue: Promise<void> = Promise.resolve();

  const read = async (): Promise<void> => {
    const snapshot = options.current();
    const now = Date.now();
    await options.flush();
    for (const [tenant, view] of snapshot.tenants) {
      if (spendRules(view).length === 0) continue;
      const counters = await spentCounters(reader, { tenant, view, now }, ({ spec }) => spec.spend !== undefined);
      await Promise.all([...counters].map(([key, { amount, period }]) => quota.spent(key, amount, period.until)));
    }
  };

  const refreshIn = (milliseconds: number): void => {
    if (closed || milliseconds === Infinity) return;
    again = setTimeout(refresh, Math.min(milliseconds, dayMs));
    again.unref();
  };
  const refresh = (): void => {
    queue = queue.then(async () => {
      if (closed) return;
      clearTimeout(again);
      try {
        await read();
        const now = Date.now();
        refreshIn(nextEnd(options.current(), now) - now);
      } catch (error) {
        logger.warn({ err: error }, 'the recorded spend cannot be read from the ledger; retrying');
        refreshIn(retryMs);
      }
    });
  };

  return {
    refresh,
    follow(snapshot) {
      const next = rulesOf(snapshot);
      if (next === rules) return;
      rules = next;
      refresh();
    },
    settled: () => queue,
    close() {
      closed = true;
      clearTimeout(again);
    },
  };
}
