/** Finds the team that a request names, for those who may act on it. */
import { decideTeam, type TeamAct } from '../auth/decide-team.ts';
import type { ConfigService } from '../config/service.ts';
import { teamOfRow } from '../config/team-accounts.ts';
import type { TeamRuns } from '../storage/run-filter.ts';
import type { Principal } from '../types/access.ts';
import { GatewayError } from '../types/errors.ts';
import type { ConfigRow } from '../types/resources.ts';
import type { TeamSpec } from '../types/team-spec.ts';

/** Throws `not_found` for an unknown team and for one of another tenant, `permission_denied` for others than its administrators. */
export function requireTeam(
  principal: Principal,
  act: TeamAct,
  { config, name, param }: { readonly config: Pick<ConfigService, 'row'>; readonly name: string; readonly param: string },
): ConfigRow {
  const row = config.row(principal.tenant, 'team', name);
  const decision = decideTeam(principal, act, row === undefined ? null : teamOfRow(row));
  if (row !== undefined && decision.allowed) return row;
  if (row === undefined) throw new GatewayError('not_found', `There is no team named "${name}".`, { param });
  throw new GatewayError('permission_denied', `${param}: ${decision.reason}`, { param });
}

/** Sums of teams have no attempts. Throws `invalid_request` for a report that splits or restricts them by deployment or provider. */
export function requireTeamSums(by: readonly string[], only: Readonly<Record<string, unknown>> = {}): void {
  for (const name of ['deployment', 'provider']) {
    if (!by.includes(name) && only[name] === undefined) continue;
    const param = by.includes(name) ? 'by' : name;
    throw new GatewayError('invalid_request', `${param}: the usage of teams is not counted by deployment or provider. Leave them out.`, {
      param,
    });
  }
}

/** People and teams as reports name them. */
export interface SumNames {
  readonly person: (ref: string) => string;
  readonly team: (id: string) => string;
}

/** A team that was deleted is named by its id. */
export function namesOf(config: Pick<ConfigService, 'people' | 'rows'>, tenant: string): SumNames {
  const teams = new Map(config.rows(tenant, 'team').map(({ id, name }) => [id, name]));
  return { person: (ref) => config.people.show(ref), team: (id) => teams.get(id) ?? id };
}

/** The runs of its members and service accounts since the row exists: an earlier team of the same name or role had its own. */
export const runsOfTeam = ({ spec, createdAt }: ConfigRow): TeamRuns => ({
  role: (spec as TeamSpec).role,
  since: Date.parse(createdAt),
});

/** False after the person lost the right, or when the name means another team or other runs by now. */
export function stillSeesTeam(
  principal: Principal,
  config: Pick<ConfigService, 'row'>,
  name: string | undefined,
  team: TeamRuns | undefined,
): boolean {
  const row = name === undefined ? undefined : config.row(principal.tenant, 'team', name);
  if (row === undefined || team === undefined || !decideTeam(principal, 'view', teamOfRow(row)).allowed) return false;
  const { role, since } = runsOfTeam(row);
  return role === team.role && since === team.since;
}
