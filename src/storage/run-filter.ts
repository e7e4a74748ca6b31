/** The filters of the list of runs. Each has an index. */
import { type Expression, type ExpressionBuilder, type RawBuilder, type SqlBool, sql } from 'kysely';
import type { Outcome } from '../types/run.ts';
import type { RunDimension } from './migrations/run-facts.ts';
import { requestMinute } from './migrations/short-run-columns.ts';
import { isPackedUuid, packedId } from './packed-ids.ts';
import { splitRoles, storedRole } from './role-list.ts';
import { dimensionDigest } from './run-dimensions.ts';
import type { RunTable, Schema } from './schema.ts';

/** A person at one identity service. */
export interface RunOwner {
  readonly issuer: string;
  readonly subject: string;
}

/** The runs of a team: those of callers with its role, from `since` (epoch milliseconds) on. */
export interface TeamRuns {
  readonly role: string;
  readonly since: number;
}

export interface RunFilter {
  readonly team?: TeamRuns | undefined;
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

/** True when a filter is for failures only. */
const isFailure = ({ outcome, error }: RunFilter): boolean => error !== undefined || (outcome !== undefined && outcome !== 'complete');

const numberOf = (name: RunDimension, values: readonly string[]): RawBuilder<number> =>
  sql<number>`(select id from ${sql.table(`llm_run_${name}`)} where digest = ${dimensionDigest(values)})`;

const isKnown = (name: RunDimension, values: readonly string[]): RawBuilder<SqlBool> =>
  sql<SqlBool>`exists (select 1 from ${sql.table(`llm_run_${name}`)} where digest = ${dimensionDigest(values)})`;

/** Conditions without a column of runs, for filters of failures: a database that finds them false reads no failure at all. */
function knownFailures(tenant: string, owner: RunOwner | null, { key, outcome, error, capability }: RunFilter): RawBuilder<SqlBool>[] {
  const results = Object.entries({ outcome, error }).filter(([, value]) => value !== undefined);
  const same = results.map(([name, value]) => sql`${sql.ref(name)} = ${value}`);
  return [
    sql<SqlBool>`exists (select 1 from llm_run_result where ${sql.join(same, sql` and `)})`,
    ...(owner === null ? [] : [isKnown('person', [tenant, owner.issuer, owner.subject])]),
    ...(key === undefined ? [] : [isKnown('api_key', [tenant, key])]),
    ...(capability === undefined ? [] : [isKnown('target', [tenant, capability])]),
  ];
}

/** Unlike `like`, `replace` distinguishes capital letters on both databases. */
export const hasRole = (role: string): RawBuilder<SqlBool> =>
  sql<SqlBool>`replace(' ' || roles || ' ', ${` ${storedRole(role)} `}, '') <> ' ' || roles || ' '`;

/** The condition for the runs of a request. On PostgreSQL, UUIDs are in the column `request_uuid`, except in rows of older versions. */
function ofRequest(requestId: string, postgres: boolean): RawBuilder<SqlBool> {
  const packed = packedId(requestId);
  if (!postgres) return sql<SqlBool>`packed_request_id = ${packed}`;
  if (!isPackedUuid(packed)) return sql<SqlBool>`long_request_id = ${packed}`;
  const uuid = sql`${requestId}::uuid`;
  return sql<SqlBool>`(${requestMinute(sql`request_uuid`)} = ${requestMinute(uuid)} and request_uuid = ${uuid} or long_request_id = ${packed})`;
}

/** The runs in narrow rows. */
export function runConditions(tenant: string, owner: RunOwner | null, filter: RunFilter, postgres: boolean) {
  const { requestId, key, outcome, error, capability, from, to, team } = filter;
  // A row of a dimension belongs to one tenant. The condition would tempt PostgreSQL to walk the index of all runs of the tenant.
  const isOfOneTenant = owner !== null || key !== undefined || capability !== undefined;
  return (is: ExpressionBuilder<Schema, 'llm_run_row'>): Expression<SqlBool> => {
    const conditions: (Expression<SqlBool> | undefined)[] = [
      isOfOneTenant && !isFailure(filter) ? undefined : is('tenant', '=', tenant),
      owner === null ? undefined : is('person', '=', numberOf('person', [tenant, owner.issuer, owner.subject])),
      requestId === undefined ? undefined : ofRequest(requestId, postgres),
      key === undefined ? undefined : is('api_key', '=', numberOf('api_key', [tenant, key])),
      // Word for word the condition of the index of failures.
      isFailure(filter) ? sql<SqlBool>`failed = 1` : undefined,
      ...(isFailure(filter) ? knownFailures(tenant, owner, filter) : []),
      outcome === undefined ? undefined : is('outcome', '=', outcome),
      error === undefined ? undefined : is('error', '=', error),
      capability === undefined ? undefined : is('target', '=', numberOf('target', [tenant, capability])),
      // The sign keeps SQLite from reading and sorting all runs of many callers: `teamPage` uses the index where they are few.
      team === undefined ? undefined : sql<SqlBool>`+caller in (select id from llm_run_caller where ${hasRole(team.role)})`,
      team === undefined ? undefined : is('started_at', '>=', team.since),
      from === undefined ? undefined : is('started_at', '>=', from),
      to === undefined ? undefined : is('started_at', '<', to),
    ];
    return is.and(conditions.filter((condition) => condition !== undefined));
  };
}

type Is = ExpressionBuilder<Schema, 'llm_run'>;

const isOf = (owner: RunOwner) => (is: Is) => is.and([is('subject', '=', owner.subject), is('issuer', '=', owner.issuer)]);

/** The runs of versions before the narrow rows. */
export function oldRunConditions(tenant: string, owner: RunOwner | null, filter: RunFilter) {
  const { requestId, key, outcome, error, capability, from, to, team } = filter;
  return (is: Is): Expression<SqlBool> => {
    const conditions: (Expression<SqlBool> | undefined)[] = [
      is('tenant', '=', tenant),
      owner === null ? undefined : isOf(owner)(is),
      requestId === undefined ? undefined : is('request_id', '=', requestId),
      key === undefined ? undefined : is('key_id', '=', key),
      // Word for word the condition of the index of failures.
      isFailure(filter) ? sql<SqlBool>`outcome <> 'complete'` : undefined,
      outcome === undefined ? undefined : is('outcome', '=', outcome),
      error === undefined ? undefined : is('error', '=', error),
      capability === undefined ? undefined : is('capability', '=', capability),
      team === undefined ? undefined : hasRole(team.role),
      team === undefined ? undefined : is('started_at', '>=', team.since),
      from === undefined ? undefined : is('started_at', '>=', from),
      to === undefined ? undefined : is('started_at', '<', to),
    ];
    return is.and(conditions.filter((condition) => condition !== undefined));
  };
}

/** True for a run that the list would show. */
export function matchesRun(run: RunTable, tenant: string, owner: RunOwner | null, filter: RunFilter): boolean {
  const { requestId, key, outcome, error, capability, from, to, team } = filter;
  return (
    run.tenant === tenant &&
    (team === undefined || (run.started_at >= team.since && splitRoles(run.roles).includes(team.role))) &&
    (owner === null || (run.subject === owner.subject && run.issuer === owner.issuer)) &&
    (requestId === undefined || run.request_id === requestId) &&
    (key === undefined || run.key_id === key) &&
    (!isFailure(filter) || run.outcome !== 'complete') &&
    (outcome === undefined || run.outcome === outcome) &&
    (error === undefined || run.error === error) &&
    (capability === undefined || run.capability === capability) &&
    (from === undefined || run.started_at >= from) &&
    (to === undefined || run.started_at < to)
  );
}
