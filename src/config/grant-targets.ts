/** Binds a grant on one name to its row: the name is resolved on write, and the grant is deleted with the row. */
import type { ConfigChange } from '../types/config-store.ts';
import { GatewayError } from '../types/errors.ts';
import { grantsOfDeletedAccounts } from './account-grants.ts';
import { readGrantReference } from './grant-reference.ts';
import type { ConfigRow, GrantSpec } from '../types/resources.ts';
import { unknownName } from './validation-errors.ts';
import { grantedKey } from './row-references.ts';
import type { RowSet } from './row-set.ts';
import { isOfferedId, sharedRow, sharedRows } from './shared-rows.ts';
import { isVersion } from './skill-versions.ts';

type Spec = Pick<GrantSpec, 'subject_type' | 'subject' | 'capability' | 'action'>;

/** The row that the grant names: the tenant's, or one shared with it. Null for a pattern or a tag; undefined for an unknown row. */
export function findTarget(rows: RowSet, tenant: string, capability: string): ConfigRow | null | undefined {
  const reference = readGrantReference(capability);
  if (reference?.type !== 'thing') return reference === null ? undefined : null;
  const { kind, name } = reference;
  // A published version has the grants of its skill.
  return kind === 'skill' && isVersion(name) ? undefined : (rows.group(kind, tenant).get(name) ?? sharedRow(rows, tenant, kind, name));
}

const words: Readonly<Record<string, string>> = { mcp: 'MCP server' };

/** Throws `configuration_invalid` for an unknown name. */
export function requireTarget(rows: RowSet, tenant: string, capability: string): string | null {
  const found = findTarget(rows, tenant, capability);
  if (found !== undefined) return found?.id ?? null;
  const reference = readGrantReference(capability);
  if (reference?.type !== 'thing') throw unknownName('kind of thing', capability, [], 'spec.capability');
  const { kind, name } = reference;
  const shared = sharedRows(rows, tenant).flatMap((row) => (row.kind === kind ? [row.name] : []));
  const names = [...rows.group(kind, tenant).keys(), ...shared].filter((each) => !(kind === 'skill' && isVersion(each)));
  throw unknownName(words[kind] ?? kind, name, names, 'spec.capability');
}

/** Throws `configuration_invalid` for an unbound grant on one name: its row was deleted directly, or never existed. */
export function requireBound({ tenant, spec, target }: ConfigRow, rows: RowSet): void {
  const reference = readGrantReference(String(spec['capability']));
  if (reference?.type !== 'thing') return;
  const { kind, name } = reference;
  if (target != null && (rows.hasId(kind, tenant, target) || isOfferedId(rows, tenant, target))) return;
  throw new GatewayError(
    'configuration_invalid',
    `spec.capability: the grant is bound to no ${words[kind] ?? kind}, so it has no effect; the one named "${name}" that it referred to was deleted or is no longer shared. Delete the grant, or save it again to bind it to the current one of that name.`,
    { param: 'spec.capability' },
  );
}

const sameRight = (one: Spec, other: Spec): boolean =>
  one.subject_type === other.subject_type &&
  one.subject === other.subject &&
  one.capability === other.capability &&
  one.action === other.action;

/** Throws `already_exists` when another grant gives the same right on the same row to the same subject. */
export function requireNewRight(rows: RowSet, tenant: string, name: string, spec: Spec, target: string | null): void {
  for (const other of rows.referring(tenant, grantedKey(target, spec.capability))) {
    if (other.kind !== 'grant' || other.name === name || !sameRight(other.spec as unknown as Spec, spec)) continue;
    throw new GatewayError(
      'already_exists',
      `There is already a grant of ${spec.action} on ${spec.capability} to ${spec.subject_type} ${spec.subject}: "${other.name}". Update that one, for example its expires_at.`,
      { param: 'spec', expose: { existing: other.name } },
    );
  }
}

/** The grants that are deleted with their row or their service account: a later one of the same name inherits none. */
export function grantsOfDeleted(changes: readonly ConfigChange[], rows: RowSet): ConfigChange[] {
  const deleted = new Map(changes.flatMap(({ before }) => (before === null ? [] : [[before.id, before.tenant] as const])));
  for (const { after } of changes) if (after !== null) deleted.delete(after.id);
  const ofRows = [...deleted].flatMap(([id, tenant]) =>
    [...rows.referring(tenant, grantedKey(id, ''))].map((before): ConfigChange => ({ kind: 'grant', tenant, before, after: null })),
  );
  const listed = new Set(ofRows.map(({ before }) => before));
  return [...ofRows, ...grantsOfDeletedAccounts(changes, rows).filter(({ before }) => !listed.has(before))];
}
