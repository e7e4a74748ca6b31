/** Reads costs from the ledger: by person and model, since each of several times. */
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
  /** Since each requested time, in that order. */
  readonly since: readonly number[];
}

export interface SpendReader {
  /** All costs of the tenant for calls that began at or after the earliest of `moments` (epoch milliseconds). Rejects with `storage_unavailable`. */
  since(tenant: string, moments: readonly number[]): Promise<readonly Spent[]>;
}

/** The model of the deployment, because a fallback may have answered. */
function modelOf(capability: string, deployment: string | null): string {
  const mark = deployment?.indexOf('#') ?? -1;
  return deployment === null || mark === -1 ? capability.slice('model/'.length) : deployment.slice(0, mark);
}

export function createSpendReader(database: Database): SpendReader {
  const amount = (column: 'cost' | 'cost_femto', from: number) =>
    sql<unknown>`sum(case when started_at >= ${sql.lit(from)} then ${summable(database, sql.ref(column))} else 0 end)`;
  return {
    async since(tenant, moments) {
      if (moments.length === 0) return [];
      try {
        const rows = await database.query
          .selectFrom('llm_run')
          .select(['issuer', 'subject', 'client', 'key_id', 'roles', 'capability', 'deployment', 'currency'])
          .select(
            moments.flatMap((from, index) => [amount('cost', from).as(`micro_${index}`), amount('cost_femto', from).as(`femto_${index}`)]),
          )
          .where('tenant', '=', tenant)
          .where('started_at', '>=', Math.min(...moments))
          .where('cost', '>=', 0)
          .where((is) => is.or([is('unbudgeted', 'is', null), is('unbudgeted', '=', 0)]))
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
          since: moments.map((_from, index) => {
            const sums = row as unknown as Readonly<Record<string, unknown>>;
            return microNumber(storedSumOfAmounts(sums[`micro_${index}`], sums[`femto_${index}`]));
          }),
        }));
      } catch (thrown) {
        throw database.explain(thrown);
      }
    },
  };
}
