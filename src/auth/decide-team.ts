/** The decision about a team. Pure: principal x act x team -> decision. Everything that a team's administrators may do passes it. */
import type { Decision, Principal } from '../types/access.ts';
import { isPerson } from '../types/person.ts';
import type { Team } from '../types/team-spec.ts';
import { isAdministrator } from './decide.ts';

/**
 * `view`: the row, its service accounts and their keys, its members, usage and runs. `give-keys`: makes and revokes keys of its service
 * accounts. `manage`: changes the row, its service accounts, or other fields of their keys.
 */
export const teamActs = ['view', 'give-keys', 'manage'] as const;
export type TeamAct = (typeof teamActs)[number];

const unknown: Decision = { allowed: false, status: 404, rule: 'unknown', reason: 'There is no such team in your tenant.' };
const byRole: Decision = { allowed: true, rule: 'role', reason: 'An administrator reaches everything of the tenant.' };
const byTeam: Decision = { allowed: true, rule: 'team', reason: 'You administer this team.' };
const denied = (reason: string): Decision => ({ allowed: false, status: 403, rule: 'team', reason });
const notYours = denied('You do not administer this team. Ask an administrator of the tenant to name you in it.');
const onlyTenant = denied('Only an administrator of the tenant sets up teams and their service accounts.');

/** Members with the role of administrators, and the people whom the row names. */
function administersTeam(principal: Principal, { spec }: Team): boolean {
  if (spec.administrators.some((person) => isPerson(principal, person))) return true;
  const { role, administrator_role: administratorRole } = spec;
  return administratorRole !== undefined && principal.roles.includes(role) && principal.roles.includes(administratorRole);
}

/** Null stands for an unknown team; one of another tenant counts as unknown. A key administers nothing. */
export function decideTeam(principal: Principal, act: TeamAct, team: Team | null): Decision {
  if (team === null || team.tenant !== principal.tenant) return unknown;
  if (principal.credential === 'key') return notYours;
  if (isAdministrator(principal)) return byRole;
  if (!team.enabled || !administersTeam(principal, team)) return notYours;
  return act === 'manage' ? onlyTenant : byTeam;
}

/** The same about a service account; `team` is null for one without a team, which only administrators of the tenant see. */
export function decideAccount(principal: Principal, act: TeamAct, team: Team | null): Decision {
  if (team !== null) return decideTeam(principal, act, team);
  return isAdministrator(principal) && principal.credential !== 'key' ? byRole : onlyTenant;
}
