/** Composes limits and budgets: counters in memory or in Redis, and the spend that the ledger has recorded. */
import type { AuditLog } from '../storage/audit.ts';
import { createBudgetAlertStore } from '../storage/budget-alert-store.ts';
import type { Database } from '../storage/database.ts';
import type { LedgerWriter } from '../storage/ledger.ts';
import type { Redis } from '../storage/redis.ts';
import { createSecretBox, type MasterKeys } from '../storage/secret-box.ts';
import { createSpendReader } from '../storage/spend-reader.ts';
import type { Logger } from '../types/logger.ts';
import type { SnapshotSource } from '../types/snapshot.ts';
import { createAlertDelivery, type AlertDeliveryOptions, type WebhookClient } from './alert-delivery.ts';
import { createBudgetAlerts } from './budget-alerts.ts';
import { createLedgerSync } from './ledger-sync.ts';
import { createQuota, type Quota, type QuotaOptions } from './quota.ts';
import { createRedisStore } from './redis-store.ts';

export interface QuotaParts extends Pick<QuotaOptions, 'withoutRedis' | 'onRefusal'> {
  readonly config: SnapshotSource;
  readonly database: Database;
  readonly ledger: Pick<LedgerWriter, 'flush'>;
  readonly master: MasterKeys;
  readonly audit: AuditLog;
  /** Calls the webhooks of budgets. */
  readonly client: WebhookClient;
  readonly onAlert?: AlertDeliveryOptions['onResult'];
  /** Null when every node counts separately. */
  readonly redis: Redis | null;
  readonly logger: Logger;
  readonly owned: AsyncDisposableStack;
}

/** Resolves when the budgets are loaded, or the database is unavailable. */
export async function composeQuota(parts: QuotaParts): Promise<Quota> {
  const { config, database, ledger, redis, logger, owned, withoutRedis, onRefusal, onAlert } = parts;
  const { master, audit, client } = parts;
  const onUnsettled = (error: unknown): void => logger.warn({ err: error }, 'a call could not be settled in Redis');
  const current = () => config.current();
  const flush = () => ledger.flush();
  const reader = createSpendReader(database);
  const store = createBudgetAlertStore(database);
  const deliver = createAlertDelivery({
    store,
    client,
    secrets: createSecretBox(master),
    current,
    audit,
    logger,
    ...(onAlert === undefined ? {} : { onResult: onAlert }),
  });
  const alerts = createBudgetAlerts({ store, reader, current, flush, deliver, logger });
  owned.use(alerts);
  const quota = createQuota({
    withoutRedis,
    ...(onRefusal === undefined ? {} : { onRefusal }),
    onSpent: (tenant) => alerts.spent(tenant),
    logger,
    shared: redis === null ? null : createRedisStore(redis, onUnsettled),
  });
  const ledgerSync = createLedgerSync({ quota, reader, current, flush, logger });
  owned.defer(() => ledgerSync.close());
  ledgerSync.follow(config.current());
  await ledgerSync.settled();
  alerts.follow(config.current());
  config.onSwap((snapshot, { limits }) => {
    if (!limits) return;
    ledgerSync.follow(snapshot);
    alerts.follow(snapshot);
  });
  redis?.onReady(() => ledgerSync.refresh());
  return quota;
}
