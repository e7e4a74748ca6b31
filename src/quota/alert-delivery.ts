/** Delivers alerts of budgets to their webhooks: signed, tried again with growing delays, given up after a day with an audit entry. */
import type { AuditLog } from '../storage/audit.ts';
import type { BudgetAlert, BudgetAlertStore } from '../storage/budget-alert-store.ts';
import type { SecretBox } from '../storage/secret-box.ts';
import type { LimitRule } from '../types/limits.ts';
import type { Logger } from '../types/logger.ts';
import { systemActor } from '../types/person.ts';
import type { Snapshot } from '../types/snapshot.ts';
import { webhookHeaders } from './webhook-signature.ts';

/** The guarded HTTP client; follows no redirect. */
export interface WebhookClient {
  send(request: {
    readonly method: 'POST';
    readonly url: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string;
    readonly signal: AbortSignal;
    readonly headersTimeoutMs: number;
  }): Promise<{ readonly status: number; readonly body: AsyncIterable<Buffer> }>;
}

export interface AlertDeliveryOptions {
  readonly store: BudgetAlertStore;
  readonly client: WebhookClient;
  readonly secrets: Pick<SecretBox, 'open'>;
  readonly current: () => Snapshot;
  readonly audit: Pick<AuditLog, 'append'>;
  readonly logger: Logger;
  readonly onResult?: (limit: string, result: 'delivered' | 'failed' | 'given_up') => void;
  readonly giveUpAfterMs?: number;
}

const timeoutMs = 10_000;
/** The time after which another node may send the alert. Longer than an attempt for each of the ten thresholds of a counter. */
const leaseMs = 120_000;
const firstDelayMs = 1_000;
const longestDelayMs = 3_600_000;
const dayMs = 86_400_000;
/** The wait for a limit that this node does not have yet. */
const missingMs = 60_000;

/** The limit of an alert, by its row, because its name and scope may have changed. */
function ruleOf(snapshot: Snapshot, { tenant, rule }: BudgetAlert): LimitRule | undefined {
  const row = rule.slice(0, rule.lastIndexOf('.') + 1);
  return snapshot.tenant(tenant).limits.rules.find(({ id }) => id.startsWith(row));
}

/** Sends the alerts that are due. Resolves with the time of the next attempt, or null. Rejects with the error of the database. */
export function createAlertDelivery(options: AlertDeliveryOptions): () => Promise<number | null> {
  const { store, client, secrets, current, audit, logger, onResult, giveUpAfterMs = dayMs } = options;

  /** Throws an error whose message is fit for the audit log. */
  const send = async ({ id, body }: BudgetAlert, rule: LimitRule | undefined): Promise<void> => {
    const url = rule?.spec.spend?.alerts?.url;
    if (url === undefined || rule?.alertSecret === undefined) throw new Error('the limit has no alerts any more');
    const secret = secrets.open(rule.alertSecret.sealed, rule.alertSecret.context);
    const signal = AbortSignal.timeout(timeoutMs);
    const headers = { 'content-type': 'application/json', 'user-agent': 'Pailou', ...webhookHeaders(secret, id, body, Date.now()) };
    const response = await client.send({ method: 'POST', url, headers, body, signal, headersTimeoutMs: timeoutMs });
    // One read: leaving the loop drops the connection of a receiver that answers at length.
    for await (const _part of response.body) break;
    if (response.status < 200 || response.status > 299) throw new Error(`the webhook answered ${response.status}`);
  };

  /** Resolves with the time of the next attempt; null when the alert is closed. */
  const deliver = async (alert: BudgetAlert): Promise<number | null> => {
    const rule = ruleOf(current(), alert);
    const limit = rule?.name ?? alert.limitName;
    try {
      await send(alert, rule);
    } catch (error) {
      const now = Date.now();
      const age = now - alert.createdAt;
      const giveUp = age >= giveUpAfterMs || (rule?.alertSecret === undefined && age >= missingMs);
      onResult?.(limit, giveUp ? 'given_up' : 'failed');
      logger.warn({ err: error, limit, alert: alert.id, attempts: alert.attempts, giveUp }, 'an alert of a budget could not be delivered');
      if (!giveUp) {
        const next = now + Math.min(longestDelayMs, firstDelayMs * 2 ** (alert.attempts - 1));
        await store.postpone(alert.id, next);
        return next;
      }
      audit.append({
        tenant: alert.tenant,
        actor: systemActor,
        act: 'alert given up',
        target: `limit/${limit}`,
        requestId: alert.id,
        detail: `${alert.threshold} % in ${alert.period}, after ${alert.attempts} attempts: ${error instanceof Error ? error.message : 'failed'}`,
      });
      await store.close(alert.id);
      return null;
    }
    onResult?.(limit, 'delivered');
    await store.close(alert.id);
    return null;
  };

  /** Sends alerts of one counter that are due together by threshold, lowest first. After a failure the others wait for the next attempt. */
  const deliverInOrder = async (alerts: readonly BudgetAlert[]): Promise<void> => {
    let next: number | null = null;
    for (const alert of alerts) {
      if (next === null) next = await deliver(alert);
      else await store.postpone(alert.id, next);
    }
  };

  return async () => {
    const now = Date.now();
    const claimed = await store.claim(now, now + leaseMs);
    const byCounter = Map.groupBy(claimed, ({ counter, period }) => `${counter} ${period}`);
    await Promise.all([...byCounter.values()].map(deliverInOrder));
    return store.nextAt();
  };
}
