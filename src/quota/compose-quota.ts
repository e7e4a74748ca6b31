/** Composes limits and budgets: counters in memory or in Redis, and the spend that the ledger has recorded. */
import type { Database } from '../storage/database.ts';
import type { LedgerWriter } from '../storage/ledger.ts';
import type { Redis } from '../storage/redis.ts';
import { createSpendReader } from '../storage/spend-reader.ts';
import type { Logger } from '../types/logger.ts';
import type { SnapshotSource } from '../types/snapshot.ts';
import { createLedgerSync } from './ledger-sync.ts';
import { createQuota, type Quota, type QuotaOptions } from './quota.ts';
import { createRedisStore } from './redis-store.ts';

export interface QuotaParts extends Pick<QuotaOptions, 'withoutRedis' | 'onRefusal'> {
  readonly config: SnapshotSource;
  readonly database: Database;
  readonly ledger: Pick<LedgerWriter, 'flush'>;
  /** Null when every node counts separately. */
  readonly redis: Redis | null;
  readonly logger: Logger;
  readonly owned: AsyncDisposableStack;
}

/** Resolves when the budgets are loaded, or the database is unavailable. */
export async function composeQuota({ config, database, ledger, redis, logger, owned, ...options }: QuotaParts): Promise<Quota> {
  const onUnsettled = (error: unknown): void => logger.warn({ err: error }, 'a call could not be settled in Redis');
  const quota = createQuota({ ...options, logger, shared: redis === null ? null : createRedisStore(redis, onUnsettled) });
  const ledgerSync = createLedgerSync({
    quota,
    reader: createSpendReader(database),
    current: () => config.current(),
    flush: () => ledger.flush(),
    logger,
  });
  owned.defer(() => ledgerSync.close());
  ledgerSync.follow(config.current());
  await ledgerSync.settled();
  config.onSwap((snapshot) => ledgerSync.follow(snapshot));
  redis?.onReady(() => ledgerSync.refresh());
  return quota;
}
