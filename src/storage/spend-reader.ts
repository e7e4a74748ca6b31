/** Reads what budgets count, by person and model, since each of several times. It never depends on the runs that are kept. */
import { type RawBuilder, sql } from 'kysely';
import { microNumber } from '../types/money.ts';
import type { PersonId } from '../types/person.ts';
import type { Database } from './database.ts';
import { splitRoles } from './role-list.ts';
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
  /**
   * All costs of the tenant, or of one person, for calls that began at or after each of `moments`: epoch milliseconds, rounded down to a quarter of an hour.
   * A moment that is not the start of a day (UTC) must be the start of a current period in some time zone. Rejects with `storage_unavailable`.
   */
  since(tenant: string, moments: readonly number[], person?: PersonId | null): Promise<readonly Spent[]>;
}

const quarterMs = 900_000;
const dayMs = 86_400_000;

const nextDay = (moment: number): number => Math.ceil(moment / dayMs) * dayMs;

/** The rows that sum up the time since `moment`: whole days, and the quarter hours before the first of them. */
function rowsSince(moment: number): RawBuilder<boolean> {
  const days = sql`span = 'day' and start >= ${sql.lit(nextDay(moment))}`;
  if (moment % dayMs === 0) return sql`(${days})`;
  return sql`(${days} or span = 'quarter' and start >= ${sql.lit(moment)} and start < ${sql.lit(nextDay(moment))})`;
}

export function createSpendReader(database: Database): SpendReader {
  const amount = (column: 'cost' | 'cost_femto', from: number) =>
    sql<unknown>`sum(case when ${rowsSince(from)} then ${summable(database, sql.ref(column))} else 0 end)`;
  return {
    async since(tenant, exactMoments, person = null) {
      if (exactMoments.length === 0) return [];
      const moments = exactMoments.map((moment) => moment - (moment % quarterMs));
      const unaligned = moments.filter((moment) => moment % dayMs !== 0);
      try {
        const rows = await database.query
          .selectFrom('llm_spend')
          .select(['issuer', 'subject', 'client', 'key_id', 'roles', 'model', 'currency'])
          .select(
            moments.flatMap((from, index) => [amount('cost', from).as(`micro_${index}`), amount('cost_femto', from).as(`femto_${index}`)]),
          )
          .where('tenant', '=', tenant)
          .$if(person !== null, (all) => all.where('issuer', '=', person?.issuer ?? '').where('subject', '=', person?.subject ?? ''))
          .where((is) =>
            is.or([
              is.and([is('span', '=', 'day'), is('start', '>=', Math.min(...moments.map(nextDay)))]),
              ...unaligned.map((moment) =>
                is.and([is('span', '=', 'quarter'), is('start', '>=', moment), is('start', '<', nextDay(moment))]),
              ),
            ]),
          )
          .groupBy(['issuer', 'subject', 'client', 'key_id', 'roles', 'model', 'currency'])
          .execute();
        return rows.map((row) => ({
          issuer: row.issuer,
          subject: row.subject,
          client: row.client === '' ? null : row.client,
          key: row.key_id === '' ? null : row.key_id,
          roles: splitRoles(row.roles),
          model: row.model,
          currency: row.currency,
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
