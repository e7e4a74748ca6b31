/** The alerts of budgets in the database: each is added once whatever the number of nodes, and kept until it is delivered or given up. */
import { randomUUID } from 'node:crypto';
import type { Database } from './database.ts';

export interface NewBudgetAlert {
  readonly tenant: string;
  readonly limitName: string;
  readonly rule: string;
  readonly counter: string;
  readonly period: string;
  readonly threshold: number;
  /** The message, as it is sent at each attempt. */
  readonly body: string;
  /** Epoch milliseconds. */
  readonly createdAt: number;
  readonly periodUntil: number;
}

export interface BudgetAlert extends NewBudgetAlert {
  readonly id: string;
  /** Includes the attempt that was claimed. */
  readonly attempts: number;
}

/** Each method rejects with the error of the driver. */
export interface BudgetAlertStore {
  /** Returns how many were new. */
  add(alerts: readonly NewBudgetAlert[]): Promise<number>;
  /** Claims alerts that are due at `now`. No node gets them again before `until`. */
  claim(now: number, until: number): Promise<readonly BudgetAlert[]>;
  /** The time at which the next alert is due, epoch milliseconds. Null when all are closed. */
  nextAt(): Promise<number | null>;
  postpone(id: string, nextAt: number): Promise<void>;
  /** Delivered or given up: it is never sent again. */
  close(id: string): Promise<void>;
  /** Removes closed alerts of periods that ended before `moment`. */
  prune(moment: number): Promise<void>;
}

const claimedAtOnce = 20;

export function createBudgetAlertStore({ query }: Pick<Database, 'query'>): BudgetAlertStore {
  return {
    async add(alerts) {
      let added = 0;
      for (const { tenant, limitName, rule, counter, period, threshold, body, createdAt, periodUntil } of alerts) {
        const { numInsertedOrUpdatedRows = 0n } = await query
          .insertInto('llm_budget_alert')
          .values({
            id: `msg_${randomUUID()}`,
            tenant,
            limit_name: limitName,
            rule,
            counter,
            period,
            threshold,
            body,
            created_at: createdAt,
            period_until: periodUntil,
            attempts: 0,
            next_at: createdAt,
          })
          .onConflict((conflict) => conflict.columns(['counter', 'period', 'threshold']).doNothing())
          .executeTakeFirst();
        added += Number(numInsertedOrUpdatedRows);
      }
      return added;
    },
    async claim(now, until) {
      const due = await query
        .selectFrom('llm_budget_alert')
        .selectAll()
        .where('next_at', '<=', now)
        .orderBy('next_at')
        .orderBy('threshold')
        .limit(claimedAtOnce)
        .execute();
      const claimed: BudgetAlert[] = [];
      for (const row of due) {
        const { numUpdatedRows } = await query
          .updateTable('llm_budget_alert')
          .set({ attempts: row.attempts + 1, next_at: until })
          .where('id', '=', row.id)
          .where('attempts', '=', row.attempts)
          .where('next_at', '<=', now)
          .executeTakeFirst();
        if (numUpdatedRows !== 1n) continue;
        const { id, tenant, limit_name: limitName, rule, counter, period, threshold, body } = row;
        const times = { createdAt: Number(row.created_at), periodUntil: Number(row.period_until) };
        claimed.push({ id, tenant, limitName, rule, counter, period, threshold, body, ...times, attempts: row.attempts + 1 });
      }
      return claimed;
    },
    async nextAt() {
      const { next } = await query
        .selectFrom('llm_budget_alert')
        .select((select) => select.fn.min('next_at').as('next'))
        .executeTakeFirstOrThrow();
      return next === null ? null : Number(next);
    },
    async postpone(id, nextAt) {
      await query.updateTable('llm_budget_alert').set({ next_at: nextAt }).where('id', '=', id).execute();
    },
    async close(id) {
      await query.updateTable('llm_budget_alert').set({ next_at: null }).where('id', '=', id).execute();
    },
    async prune(moment) {
      await query.deleteFrom('llm_budget_alert').where('next_at', 'is', null).where('period_until', '<', moment).execute();
    },
  };
}
