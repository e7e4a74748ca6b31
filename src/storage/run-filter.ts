/** The filters of the list of runs. Each has an index. */
import { type Expression, type ExpressionBuilder, type SqlBool, sql } from 'kysely';
import type { Outcome } from '../types/run.ts';
import type { Schema } from './schema.ts';

/** A person at one identity service. */
export interface RunOwner {
  readonly issuer: string;
  readonly subject: string;
}

export interface RunFilter {
  readonly requestId?: string | undefined;
  readonly key?: string | undefined;
  readonly outcome?: Outcome | undefined;
  /** A code of the table of errors. */
  readonly error?: string | undefined;
  readonly capability?: string | undefined;
  /** Epoch milliseconds; runs that started from then on. */
  readonly from?: number | undefined;
  /** Runs that started before. */
  readonly to?: number | undefined;
}

type Is = ExpressionBuilder<Schema, 'llm_run'>;

const isOf = (owner: RunOwner) => (is: Is) => is.and([is('subject', '=', owner.subject), is('issuer', '=', owner.issuer)]);

export function runConditions(tenant: string, owner: RunOwner | null, filter: RunFilter) {
  const { requestId, key, outcome, error, capability, from, to } = filter;
  const isFailure = error !== undefined || (outcome !== undefined && outcome !== 'complete');
  return (is: Is): Expression<SqlBool> => {
    const conditions: (Expression<SqlBool> | undefined)[] = [
      is('tenant', '=', tenant),
      owner === null ? undefined : isOf(owner)(is),
      requestId === undefined ? undefined : is('request_id', '=', requestId),
      key === undefined ? undefined : is('key_id', '=', key),
      // Word for word the condition of the index of failures.
      isFailure ? sql<SqlBool>`outcome <> 'complete'` : undefined,
      outcome === undefined ? undefined : is('outcome', '=', outcome),
      error === undefined ? undefined : is('error', '=', error),
      capability === undefined ? undefined : is('capability', '=', capability),
      from === undefined ? undefined : is('started_at', '>=', from),
      to === undefined ? undefined : is('started_at', '<', to),
    ];
    return is.and(conditions.filter((condition) => condition !== undefined));
  };
}
