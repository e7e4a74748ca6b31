/** The service accounts of the configuration as keys see them: like a person with known rights. */
import type { KeySpec } from '../types/resources.ts';
import type { Person } from '../storage/people.ts';
import { roles } from '../types/access.ts';
import { serviceAccountIssuer } from '../types/service-account-spec.ts';
import type { ServiceAccountEntry, Snapshot, TeamEntry } from '../types/snapshot.ts';
import { codesOfRole } from './role-cap.ts';

interface Known {
  readonly team: TeamEntry | null;
  readonly person: Person;
}

const known = new WeakMap<ServiceAccountEntry, Known>();

const isStandard = (role: string): boolean => (roles as readonly string[]).includes(role);

function personOf({ name, tenant, spec }: ServiceAccountEntry, team: TeamEntry | null): Person {
  const own = team === null ? spec.roles : [team.spec.role];
  return {
    issuer: serviceAccountIssuer,
    subject: name,
    tenant,
    username: name,
    roles: own,
    // Another role reaches as far as `user`, as it does for the service accounts of an identity service.
    permissions: new Set(own.flatMap((role) => codesOfRole(isStandard(role) ? role : 'user'))),
    isService: true,
    ...(team === null ? {} : { team: team.id }),
    // It has no tokens: its rights are those of its row.
    seenAt: Infinity,
  };
}

/**
 * The owner of a key. Null for a service account that was deleted or disabled, or whose team was. The same object as long as its row and
 * its team are unchanged.
 */
export function findServiceAccount(snapshot: Snapshot, tenant: string, { subject, service_id: id }: KeySpec): Person | null {
  const view = snapshot.tenant(tenant);
  const entry = view.serviceAccounts?.get(subject);
  if (entry === undefined || entry.id !== id) return null;
  const team = entry.spec.team === undefined ? null : (view.teams?.get(entry.spec.team) ?? null);
  if (entry.spec.team !== undefined && (team === null || team.id !== entry.team)) return null;
  let found = known.get(entry);
  if (found === undefined || found.team !== team) known.set(entry, (found = { team, person: personOf(entry, team) }));
  return found.person;
}
