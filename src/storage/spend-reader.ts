/** What was spent, read from the ledger: by whom, at which model, since a month began and since a day began. */
import { sql } from 'kysely';
import { microNumber } from '../types/money.ts';
import type { Database } from './database.ts';
import { storedSumOfAmounts, summable } from './stored-counts.ts';

/** The costs of one kind of call in micro-units of `currency`, with a fraction. */
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
  const amount = (column: 'cost' | 'cost_femto', from: number | null) => {
    const value = summable(database, sql.ref(column));
    return sql<unknown>`sum(${from === null ? value : sql`case when started_at >= ${from} then ${value} else 0 end`})`;
  };
  return {
    async since(tenant, monthFrom, dayFrom) {
      try {
        const rows = await database.query
          .selectFrom('llm_run')
          .select(['issuer', 'subject', 'client', 'key_id', 'roles', 'capability', 'deployment', 'currency'])
          .select([amount('cost', null).as('month'), amount('cost_femto', null).as('month_femto')])
          .select([amount('cost', dayFrom).as('day'), amount('cost_femto', dayFrom).as('day_femto')])
          .where('tenant', '=', tenant)
          .where('started_at', '>=', monthFrom)
          .where('cost', '>=', 0)
          .where('currency', 'is not', null)
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
          month: microNumber(storedSumOfAmounts(row.month, row.month_femto)),
          day: microNumber(storedSumOfAmounts(row.day, row.day_femto)),
        }));
      } catch (thrown) {
        throw database.explain(thrown);
      }
    },
  };
}
