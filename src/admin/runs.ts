/** GET /api/runs and /api/runs/{id}: the ledger with all attempts. Administrators see the tenant's runs, those of a team the team's, others their own. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { isAdministrator } from '../auth/decide.ts';
import { principalOf } from '../api/request-context.ts';
import { storedText } from '../api/bodies/stored-text.ts';
import type { ConfigService } from '../config/service.ts';
import type { PersonNames } from '../config/person-names.ts';
import type { RunFilter, RunOwner, TeamRuns } from '../storage/run-filter.ts';
import type { RunReader } from '../storage/run-reader.ts';
import type { Principal } from '../types/access.ts';
import { GatewayError } from '../types/errors.ts';
import { isPerson, longestPerson, splitPerson } from '../types/person.ts';
import { outcomes } from '../types/run.ts';
import { pageQuery } from './paging.ts';
import { requireTeam, runsOfTeam } from './team-access.ts';
import { requireRange, timeRange } from './time-range.ts';

const team = storedText(200)
  .optional()
  .describe(
    'Only runs of this team: of callers who had its role, since the team exists. For administrators, and for administrators of the team.',
  );
const filters = {
  request_id: storedText(64).optional().describe('The x-request-id of the answer, which errors also have in their body.'),
  user: storedText(longestPerson).optional().describe('Only runs of this user, as in GET /api/me. For administrators.'),
  key: storedText(200).optional().describe('Only calls with this key, by its name in GET /api/keys.'),
  model: storedText(200).optional().describe('The name of a model: short for capability=model/<name>.'),
  capability: storedText(300).optional().describe('model/<name>, skill/<name> or mcp/<server>/<tool>.'),
  outcome: z.enum(outcomes).optional(),
  error: storedText(64).optional().describe('The code of the error, as in docs/errors.md.'),
  ...timeRange,
  team,
};
const runsQuery = pageQuery.extend(filters);
export const runFilters = z.object(filters);
const one = z.object({ id: storedText(64) });

export type RunFilters = z.output<typeof runFilters>;
const oneQuery = z.strictObject({ team });

export function filterOf({ request_id: requestId, key, model, capability, outcome, error, from, to }: RunFilters): RunFilter {
  requireRange({ from, to });
  const named = model === undefined ? capability : `model/${model}`;
  if (capability !== undefined && named !== capability)
    throw new GatewayError('invalid_request', 'model: names another capability than `capability`; give one of them.', { param: 'model' });
  return { requestId, key, capability: named, outcome, error, from: epoch(from), to: epoch(to) };
}

const epoch = (time: string | undefined): number | undefined => (time === undefined ? undefined : Date.parse(time));

/** Whose runs are listed; null for everyone's. */
export function ownerOf(
  principal: Principal,
  user: string | undefined,
  names: PersonNames,
  seesAll: boolean = isAdministrator(principal),
): RunOwner | null {
  const person = user === undefined ? null : names.resolve(user, 'user');
  if (person !== null && !isPerson(principal, person) && !seesAll)
    throw new GatewayError('permission_denied', 'Only administrators may see the runs of others. Leave out user to see your own.', {
      param: 'user',
    });
  if (!seesAll) return principal;
  return person === null ? null : splitPerson(person);
}

/** The runs of the team that a request names. Throws for those who may not see them. */
export function teamRunsOf(principal: Principal, name: string | undefined, config: Pick<ConfigService, 'row'>): TeamRuns | undefined {
  return name === undefined ? undefined : runsOfTeam(requireTeam(principal, 'view', { config, name, param: 'team' }));
}

export function addRuns(app: FastifyInstance, runs: RunReader, config: Pick<ConfigService, 'people' | 'row'>): void {
  const access = { access: 'signed-in' } as const;
  const tags = ['usage'];

  app.get<{ Querystring: z.output<typeof runsQuery> }>(
    '/api/runs',
    { config: access, schema: { tags, summary: 'Runs that match all filters, newest first', querystring: runsQuery } },
    async (request) => {
      const { after, limit, team: teamName, ...query } = request.query;
      const principal = principalOf(request);
      const ofTeam = teamRunsOf(principal, teamName, config);
      return runs.list({
        tenant: principal.tenant,
        owner: ownerOf(principal, query.user, config.people, isAdministrator(principal) || ofTeam !== undefined),
        filter: { ...filterOf(query), team: ofTeam },
        after: after ?? null,
        limit,
      });
    },
  );

  app.get<{ Params: z.output<typeof one>; Querystring: z.output<typeof oneQuery> }>(
    '/api/runs/:id',
    { config: access, schema: { tags, summary: 'One run with its attempts and child runs', params: one, querystring: oneQuery } },
    async (request) => {
      const principal = principalOf(request);
      const ofTeam = teamRunsOf(principal, request.query.team, config);
      const owner = isAdministrator(principal) || ofTeam !== undefined ? null : principal;
      const run = await runs.get(principal.tenant, request.params.id, owner, ofTeam);
      if (run === null) {
        throw new GatewayError('not_found', `There is no run "${request.params.id}".`, { param: 'id' });
      }
      if (isAdministrator(principal)) return run;
      // Vendor error texts are for operators, and what a member wrote is not for the team's administrators.
      const content = run.subject === principal.subject && run.issuer === principal.issuer ? run.content : null;
      return { ...run, content, attempts: run.attempts.map((attempt) => ({ ...attempt, detail: null })) };
    },
  );
}
