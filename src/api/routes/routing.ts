/** POST /api/route/explain and GET /api/health: the routing decision for a request, and the state of deployments. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { isAdministrator } from '../../auth/decide.ts';
import type { ChatBody } from '../../types/chat.ts';
import { principalOf, snapshotOf } from '../request-context.ts';
import { fallbackFor, may, requireModel } from '../../application/caller.ts';
import type { CallServices } from '../../application/services.ts';

const question = z.looseObject({
  model: z.string().min(1).max(256),
  messages: z
    .array(z.looseObject({}))
    .max(10_000)
    .default([])
    .describe('As in a call; the router reads which features it needs and its affinity.'),
});

const explanation = z.object({
  model: z.string(),
  strategy: z.string(),
  candidates: z.array(
    z.object({
      deployment: z.string(),
      tier: z.int(),
      weight: z.number(),
      takes_calls: z.boolean(),
      reason: z.string(),
      in_flight: z.int(),
      first_token_ms: z.number().nullable(),
    }),
  ),
  fallbacks: z.array(z.object({ model: z.string(), on: z.array(z.string()), usable: z.boolean(), reason: z.string() })),
});

const health = z.object({
  deployments: z.array(
    z.object({
      deployment: z.string(),
      circuit: z.enum(['closed', 'half-open', 'open']),
      in_flight: z.int(),
      attempts: z.int(),
      failures: z.int(),
      first_token_ms: z.number().nullable(),
      probe: z
        .object({
          at: z.iso.datetime().describe('When the last probe started.'),
          ok: z.boolean().nullable().describe('Null: inconclusive, such as a rate limit.'),
          reason: z.string().nullable().describe('Why the deployment is unhealthy; null when it is healthy.'),
          latency_ms: z.int(),
        })
        .nullable()
        .describe('The last probe; null without one.'),
    }),
  ),
});

export function addRouting(app: FastifyInstance, services: Pick<CallServices, 'dispatcher'>): void {
  app.post<{ Body: z.output<typeof question> }>(
    '/api/route/explain',
    {
      config: { access: ['llm:model:use'], writes: 'none' },
      schema: {
        tags: ['routing'],
        summary: 'Explain the route of a call to this model, without calling it',
        description: 'The deployments in the order in which this node would try them, and why some are skipped.',
        body: question,
        response: { 200: explanation },
      },
    },
    async (request) => {
      const principal = principalOf(request);
      const asker = { principal, view: snapshotOf(request).tenant(principal.tenant) };
      const model = requireModel(asker, request.body.model);
      return services.dispatcher.explain(model, request.body as unknown as ChatBody, { principal, fallback: fallbackFor(asker) });
    },
  );

  app.get(
    '/api/health',
    {
      config: { access: ['llm:model:view'] },
      schema: {
        tags: ['routing'],
        summary: 'The live state of the deployments on this node',
        description: 'Of the models that you may view. Only administrators see why a probe failed.',
        response: { 200: health },
      },
    },
    async (request) => {
      const principal = principalOf(request);
      const prefix = `${principal.tenant} `;
      const view = snapshotOf(request).tenant(principal.tenant);
      const sees = (model: string): boolean => {
        const capability = view.models.get(model)?.capability;
        return capability !== undefined && may({ principal, view }, 'view', capability);
      };
      const administrator = isAdministrator(principal);
      const deployments = Object.entries(services.dispatcher.health())
        // A deployment is named <model>#<provider>/<upstream model>.
        .filter(([key]) => key.startsWith(prefix) && (administrator || sees(key.slice(prefix.length).split('#', 1)[0] ?? '')))
        .map(([key, { circuit, inFlight, attempts, failures, firstTokenMs, probe }]) => ({
          deployment: key.slice(prefix.length),
          circuit,
          in_flight: inFlight,
          attempts,
          failures,
          first_token_ms: firstTokenMs === null ? null : Math.round(firstTokenMs),
          probe:
            probe === null
              ? null
              : {
                  at: new Date(probe.at).toISOString(),
                  ok: probe.ok,
                  reason: administrator ? probe.reason : null,
                  latency_ms: probe.latencyMs,
                },
        }));
      return { deployments: deployments.toSorted((one, other) => (one.deployment < other.deployment ? -1 : 1)) };
    },
  );
}
