/** Service accounts and teams of a snapshot. */
import { toGatewayError } from '../../types/errors.ts';
import type { ConfigRow } from '../../types/resources.ts';
import type { ServiceAccountEntry, TeamEntry } from '../../types/snapshot.ts';
import { parseSpec } from '../parse-spec.ts';
import { namedKey } from '../row-references.ts';
import { lostTeam } from '../team-accounts.ts';
import type { PersistentMap } from '../persistent-map.ts';
import type { BuildEdit } from './build-edit.ts';
import { namesOf, type TenantChanges } from './changed-names.ts';

/** The map with the changed rows of a kind. A row that cannot be read is left out and reported. */
function changedEntries<E>(
  kind: 'service' | 'team',
  { edit, tenant, changes }: { readonly edit: BuildEdit; readonly tenant: string; readonly changes: TenantChanges },
  before: PersistentMap<E>,
  entryOf: (row: ConfigRow) => E,
  names = namesOf(changes, kind),
): PersistentMap<E> {
  const rows = edit.rows.group(kind, tenant);
  const changed = new Map<string, E | undefined>();
  for (const name of names) {
    edit.clear('row', { kind, tenant, name });
    changed.set(name, undefined);
    const row = rows.get(name);
    if (row?.enabled !== true) continue;
    try {
      changed.set(name, entryOf(row));
    } catch (thrown) {
      edit.report('row', row, toGatewayError(thrown));
    }
  }
  return changed.size === 0 ? before : before.with(changed);
}

/** Changed accounts, and those of a team that appeared or is gone. */
function affectedAccounts(edit: BuildEdit, tenant: string, changes: TenantChanges): Set<string> {
  const names = namesOf(changes, 'service');
  for (const { name: team, before, after } of changes.differences.get('team') ?? [])
    if (before?.id !== after?.id)
      for (const { kind, name } of edit.rows.referring(tenant, namedKey('team', team))) if (kind === 'service') names.add(name);
  return names;
}

export function buildServiceAccounts(
  edit: BuildEdit,
  tenant: string,
  changes: TenantChanges,
  before: PersistentMap<ServiceAccountEntry>,
): PersistentMap<ServiceAccountEntry> {
  const entryOf = (row: ConfigRow): ServiceAccountEntry => {
    const { id, name, spec, target } = row;
    const lost = lostTeam(edit.rows, row);
    if (lost !== null) edit.report('row', row, lost);
    return { id, name, tenant, spec: parseSpec('service', spec), team: target ?? null };
  };
  return changedEntries('service', { edit, tenant, changes }, before, entryOf, affectedAccounts(edit, tenant, changes));
}

export function buildTeams(
  edit: BuildEdit,
  tenant: string,
  changes: TenantChanges,
  before: PersistentMap<TeamEntry>,
): PersistentMap<TeamEntry> {
  return changedEntries('team', { edit, tenant, changes }, before, ({ id, spec }) => ({ id, spec: parseSpec('team', spec) }));
}
