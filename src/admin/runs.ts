/** GET /api/runs and /api/runs/{id}: the ledger with all attempts. Administrators see the tenant's runs, others their own. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { isAdministrator } from '../auth/decide.ts';
import { principalOf } from '../api/request-context.ts';
import { storedText } from '../api/bodies/stored-text.ts';
import type { PersonNames } from '../config/person-names.ts';
import type { RunFilter, RunOwner } from '../storage/run-filter.ts';
import type { RunReader } from '../storage/run-reader.ts';
import type { Principal } from '../types/access.ts';
import { GatewayError } from '../types/errors.ts';
import { isPerson, longestPerson, splitPerson } from '../types/person.ts';
import { outcomes } from '../types/run.ts';
import { pageQuery } from './paging.ts';
import { requireRange, timeRange } from './time-range.ts';

const runsQuery = pageQuery.extend({
  request_id: storedText(64).optional().describe('The x-request-id of the answer, which errors also have in their body.'),
  user: storedText(longestPerson).optional().describe('Only runs of this user, as in GET /api/me. For administrators.'),
  key: storedText(200).optional().describe('Only calls with this key, by its name in GET /api/keys.'),
  model: storedText(200).optional().describe('The name of a model: short for capability=model/<name>.'),
  capability: storedText(300).optional().describe('model/<name>, skill/<name> or mcp/<server>/<tool>.'),
  outcome: z.enum(outcomes).optional(),
  error: storedText(64).optional().describe('The code of the error, as in docs/errors.md.'),
  ...timeRange,
});
const one = z.object({ id: z.string().min(1).max(64) });

type Query = Omit<z.output<typeof runsQuery>, 'after' | 'limit'>;

function filterOf({ request_id: requestId, key, model, capability, outcome, error, from, to }: Query): RunFilter {
  requireRange({ from, to });
  const named = model === undefined ? capability : `model/${model}`;
  if (capability !== undefined && named !== capability)
    throw new GatewayError('invalid_request', 'model: names another capability than `capability`; give one of them.', { param: 'model' });
  return { requestId, key, capability: named, outcome, error, from: epoch(from), to: epoch(to) };
}

const epoch = (time: string | undefined): number | undefined => (time === undefined ? undefined : Date.parse(time));

/** Whose runs are listed; null for everyone's. */
function ownerOf(principal: Principal, user: string | undefined, names: PersonNames): RunOwner | null {
  const person = user === undefined ? null : names.resolve(user, 'user');
  if (person !== null && !isPerson(principal, person) && !isAdministrator(principal))
    throw new GatewayError('permission_denied', 'Only administrators may see the runs of others. Leave out user to see your own.', {
      param: 'user',
    });
  if (!isAdministrator(principal)) return principal;
  return person === null ? null : splitPerson(person);
}

export function addRuns(app: FastifyInstance, runs: RunReader, names: PersonNames): void {
  const config = { access: 'signed-in' } as const;
  const tags = ['usage'];

  app.get<{ Querystring: z.output<typeof runsQuery> }>(
    '/api/runs',
    { config, schema: { tags, summary: 'Runs that match all filters, newest first', querystring: runsQuery } },
    async (request) => {
      const { after, limit, ...query } = request.query;
      const principal = principalOf(request);
      return runs.list({
        tenant: principal.tenant,
        owner: ownerOf(principal, query.user, names),
        filter: filterOf(query),
        after: after ?? null,
        limit,
      });
    },
  );

  app.get<{ Params: z.output<typeof one> }>(
    '/api/runs/:id',
    { config, schema: { tags, summary: 'One run with its attempts and child runs', params: one } },
    async (request) => {
      const principal = principalOf(request);
      const run = await runs.get(principal.tenant, request.params.id, isAdministrator(principal) ? null : principal);
      if (run === null) {
        throw new GatewayError('not_found', `There is no run "${request.params.id}".`, { param: 'id' });
      }
      if (isAdministrator(principal)) return run;
      // Vendor error texts are for operators.
      return { ...run, attempts: run.attempts.map((attempt) => ({ ...attempt, detail: null })) };
    },
  );
}
