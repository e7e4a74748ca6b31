/** Synchronises the money counters with the ledger: after a start, for a new limit, and when Redis is back. The ledger is authoritative. */
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

function spendRules({ limits }: TenantView): string[] {
  return limits.rules.filter(({ spec }) => spec.spend !== undefined).map(({ id, spec }) => `${id} ${JSON.stringify(spec.spend)}`);
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
  let retry: NodeJS.Timeout | undefined;
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

  const refresh = (): void => {
    clearTimeout(retry);
    queue = queue.then(async () => {
      if (closed) return;
      try {
        await read();
      } catch (error) {
        logger.warn({ err: error }, 'the recorded spend cannot be read from the ledger; retrying');
        retry = setTimeout(refresh, retryMs);
        retry.unref();
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
      clearTimeout(retry);
    },
  };
}
