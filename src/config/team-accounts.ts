/** Binds a service account to the row of its team: a later team of the same name gets none of its accounts and keys. */
import type { ConfigRow, KeySpec } from '../types/resources.ts';
import { serviceAccountIssuer } from '../types/service-account-spec.ts';
import type { Team } from '../types/team-spec.ts';
import type { RowSet } from './row-set.ts';
import { RightLost } from './deployment-rights.ts';
import { unknownName } from './validation-errors.ts';

/** Finds a row of the tenant by its name. */
export type FindRow = (kind: 'service' | 'team', name: string) => ConfigRow | undefined;

/** A row of a team with its spec, which was validated when it was written. */
export const teamOfRow = ({ tenant, enabled, spec }: ConfigRow): Team => ({ tenant, enabled, spec: spec as Team['spec'] });

/** The id of the team that the spec names; null without a team. Throws `configuration_invalid` for an unknown name. */
export function requireTeam(rows: RowSet, tenant: string, spec: ConfigRow['spec']): string | null {
  const { team: name } = spec;
  if (typeof name !== 'string') return null;
  const teams = rows.group('team', tenant);
  const found = teams.get(name);
  if (found === undefined) throw unknownName('team', name, teams.keys(), 'spec.team');
  return found.id;
}

/** The error of a service account whose team was deleted; null for one with its team, or without any. */
export function lostTeam(rows: RowSet, { tenant, spec, target }: ConfigRow): RightLost | null {
  const { team: name } = spec;
  if (typeof name !== 'string') return null;
  const found = rows.group('team', tenant).get(name);
  if (found !== undefined && found.id === target) return null;
  const what = found === undefined ? 'was deleted' : 'was deleted, and the one of that name now is another';
  return new RightLost(
    'spec.team',
    `the team "${name}" to which the account belonged ${what}. Its keys are refused. Delete the account, or save it again with a team or with roles of its own.`,
  );
}

/** The team of a service account; null without one, and when the team was deleted. */
export function teamOfAccount({ spec, target }: ConfigRow, find: FindRow): Team | null {
  const { team: name } = spec;
  const row = typeof name === 'string' ? find('team', name) : undefined;
  return row === undefined || row.id !== target ? null : teamOfRow(row);
}

/** The team of the service account that owns a key; null for any other key. */
export function teamOfKey(key: ConfigRow, find: FindRow): Team | null {
  const { issuer, subject, service_id: id } = key.spec as KeySpec;
  if (issuer !== serviceAccountIssuer) return null;
  const account = find('service', subject);
  return account === undefined || account.id !== id ? null : teamOfAccount(account, find);
}
