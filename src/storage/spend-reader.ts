/** What was spent, read from the ledger: by whom, at which model, since a month began and since a day began. */
import { sql } from 'kysely';
import type { Database } from './database.ts';

/** The costs of one kind of call in micro-units of `currency`. */
export interface Spent {
  readonly issuer: string;
  readonly subject: string;
  readonly client: string | null;
  readonly key: string | null;
  readonly roles: readonly string[];
  /** The model that answered. */
  readonly model: string;
  readonly currency: string;
  readonly month: number;
  readonly day: number;
}

export interface SpendReader {
  /** Everything that the tenant spent on calls begun at `monthFrom` or later; `dayFrom` lies within. Rejects with `storage_unavailable`. */
  since(tenant: string, monthFrom: number, dayFrom: number): Promise<readonly Spent[]>;
}

/** A fallback may have answered: its deployment names it. */
function modelOf(capability: string, deployment: string | null): string {
  const mark = deployment?.indexOf('#') ?? -1;
  return deployment === null || mark === -1 ? capability.slice('model/'.length) : deployment.slice(0, mark);
}

export function createSpendReader(database: Database): SpendReader {
  return {
    async since(tenant, monthFrom, dayFrom) {
      try {
        const rows = await database.query
          .selectFrom('llm_run')
          .select(['issuer', 'subject', 'client', 'key_id', 'roles', 'capability', 'deployment', 'currency'])
          .select((select) => select.fn.sum<number | string>('cost').as('month'))
          .select(sql<number | string>`sum(case when started_at >= ${dayFrom} then cost else 0 end)`.as('day'))
          .where('tenant', '=', tenant)
          .where('started_at', '>=', monthFrom)
          .where('cost', '>', 0)
          .groupBy(['issuer', 'subject', 'client', 'key_id', 'roles', 'capability', 'deployment', 'currency'])
          .execute();
        return rows.map((row) => ({
          issuer: row.issuer ?? '',
          subject: row.subject,
          client: row.client,
          key: row.key_id,
          roles: row.roles.split(' ').filter((role) => role !== ''),
          model: modelOf(row.capability, row.deployment),
          currency: row.currency ?? '',
          month: Number(row.month),
          day: Number(row.day),
        }));
      } catch (thrown) {
        throw database.explain(thrown);
      }
    },
  };
}
