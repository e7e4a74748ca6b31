/** The rows of other tenants that a tenant has by name. Its own row of a name comes first; then the shared row that its grants name; then the oldest. */
import type { CapabilityKind } from '../types/access.ts';
import { GatewayError } from '../types/errors.ts';
import type { ConfigRow } from '../types/resources.ts';
import { byAge } from './mcp-labels.ts';
import { isOffered, isOfferedTo } from './offers.ts';
import { grantedKey, namedKey } from './row-references.ts';
import type { RowSet } from './row-set.ts';

export type SharedRow = ConfigRow & { readonly kind: CapabilityKind };

/** True when a grant of the tenant is bound to the row. */
export function isGranted(rows: RowSet, tenant: string, { id }: Pick<ConfigRow, 'id'>): boolean {
  for (const _grant of rows.referring(tenant, grantedKey(id, ''))) return true;
  return false;
}

/** True for a row that other tenants have too, and for a provider that a shared model of its tenant calls. */
export function reachesOtherTenants(rows: RowSet, row: ConfigRow): boolean {
  if (isOffered(row)) return true;
  if (row.kind !== 'provider') return false;
  for (const each of rows.referring(row.tenant, namedKey('provider', row.name))) if (isOffered(each)) return true;
  return false;
}

/** The same on every node, also for equal ids of two tenants. */
function inOrder(one: SharedRow, other: SharedRow): number {
  if (one.createdAt === other.createdAt && one.id === other.id) return one.tenant < other.tenant ? -1 : 1;
  return byAge(one, other);
}

/** An offer never takes a name from another one that is in use. */
function preferred(rows: RowSet, tenant: string, one: SharedRow, other: SharedRow): SharedRow {
  const [first, second] = [isGranted(rows, tenant, one), isGranted(rows, tenant, other)];
  if (first !== second) return first ? one : other;
  return inOrder(one, other) < 0 ? one : other;
}

/** Every row that is offered to the tenant, enabled or not. */
export function* offersTo(rows: RowSet, tenant: string): Generator<SharedRow> {
  for (const row of rows.offers()) if (isOfferedTo(row, tenant)) yield row as SharedRow;
}

export function ownHasName(rows: RowSet, tenant: string, { kind, name }: Pick<ConfigRow, 'kind' | 'name'>): boolean {
  return rows.group(kind, tenant).has(name);
}

/** The shared rows that the tenant has, one for each name, oldest first. */
export function sharedRows(rows: RowSet, tenant: string): readonly SharedRow[] {
  const chosen = new Map<string, SharedRow>();
  for (const row of offersTo(rows, tenant)) {
    if (ownHasName(rows, tenant, row)) continue;
    const key = `${row.kind}/${row.name}`;
    const rival = chosen.get(key);
    chosen.set(key, rival === undefined ? row : preferred(rows, tenant, row, rival));
  }
  return [...chosen.values()].toSorted(inOrder);
}

/** The shared row that the name means in the tenant; undefined when there is none, or when the tenant has a row of its own. */
export function sharedRow(rows: RowSet, tenant: string, kind: string, name: string): SharedRow | undefined {
  let chosen: SharedRow | undefined;
  for (const offer of rows.offersNamed(kind, name)) {
    if (!isOfferedTo(offer, tenant)) continue;
    const row = offer as SharedRow;
    if (ownHasName(rows, tenant, row)) return undefined;
    chosen = chosen === undefined ? row : preferred(rows, tenant, row, chosen);
  }
  return chosen;
}

/** True when a grant of the tenant may be bound to the row with this id: its own, or one that is offered to it. */
export const hasTarget = (rows: RowSet, tenant: string, id: string): boolean => rows.hasAnyId(tenant, id) || isOfferedId(rows, tenant, id);

/** Throws `permission_denied` when the name is that of a row which another tenant shares. */
export function refuseShared(rows: RowSet, tenant: string, kind: string, name: string): void {
  const shared = sharedRow(rows, tenant, kind, name);
  if (shared === undefined) return;
  throw new GatewayError(
    'permission_denied',
    `"${name}" belongs to the tenant "${shared.tenant}", which shares it with yours: only its administrators change it. GET /api/shared shows it, and you can grant it.`,
    { param: 'name' },
  );
}

/** True when a row with this id is offered to the tenant. */
export function isOfferedId(rows: RowSet, tenant: string, id: string): boolean {
  for (const row of rows.offersWithId(id)) if (isOfferedTo(row, tenant)) return true;
  return false;
}
