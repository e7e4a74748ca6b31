/** GET /api/runs and /api/runs/{id}: the ledger with all attempts. Administrators see the tenant's runs, others their own. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { isAdministrator } from '../auth/decide.ts';
import { principalOf } from '../api/request-context.ts';
import type { RunReader } from '../storage/run-reader.ts';
import { GatewayError } from '../types/errors.ts';
import { pageQuery } from './paging.ts';

const runsQuery = pageQuery.extend({ capability: z.string().max(300).optional() });
const one = z.object({ id: z.string().min(1).max(64) });

export function addRuns(app: FastifyInstance, runs: RunReader): void {
  const config = { access: 'signed-in' } as const;
  const tags = ['usage'];

  app.get<{ Querystring: z.output<typeof runsQuery> }>(
    '/api/runs',
    { config, schema: { tags, summary: 'Runs, newest first', querystring: runsQuery } },
    async (request) => {
      const principal = principalOf(request);
      const { after, limit, capability } = request.query;
      return runs.list({
        tenant: principal.tenant,
        owner: isAdministrator(principal) ? null : principal,
        capability: capability ?? null,
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
