/** POST /api/providers/discover: the models that a vendor offers, asked with an unsaved draft, with what the catalogue knows of them. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { callerOf } from '../api/request-caller.ts';
import { principalOf } from '../api/request-context.ts';
import type { CallServices } from '../application/services.ts';
import type { ConfigService } from '../config/service.ts';
import { abortSignalOf } from '../scheduling/cancellation.ts';
import { providerSpec } from '../types/resources.ts';
import { operations } from '../types/wire-format.ts';
import { failedTest, testError } from './connection-test.ts';
import { writerOf } from './writer.ts';
import { monotonicNow } from '../scheduling/monotonic-clock.ts';

const mostModels = 1_000;
const timeoutMs = 15_000;

const draftBody = z.strictObject({
  spec: providerSpec,
  name: z.string().max(200).optional().describe('An existing provider whose stored secrets "***" stands for.'),
});

const answer = z.object({
  ok: z.boolean(),
  duration_ms: z.int(),
  models: z
    .array(
      z.object({
        model: z.string().describe("The vendor's own name, for a deployment."),
        operations: z.array(z.enum(operations)).nullable().describe('As the catalogue knows them; null for a model that is not in it.'),
        context_window: z.int().nullable(),
      }),
    )
    .optional(),
  error: testError.optional(),
});

export function addModelDiscovery(app: FastifyInstance, config: ConfigService, calls: CallServices): void {
  app.post<{ Body: z.output<typeof draftBody> }>(
    '/api/providers/discover',
    {
      config: { access: ['llm:model:manage'], writes: ['provider'] },
      schema: {
        tags: ['providers'],
        summary: 'List the models of a vendor before saving the provider',
        description:
          'Asks the vendor for its list with the address and the credential of the draft. Nothing is saved, booked or counted. Create a model for each one to offer.',
        body: draftBody,
        response: { 200: answer },
      },
    },
    async (request, reply) => {
      const { spec, name } = request.body;
      const startedAt = monotonicNow();
      await using draft = await config.draftProvider(writerOf(request), {
        tenant: principalOf(request).tenant,
        spec,
        name,
        model: 'any',
        operation: 'chat',
      });
      const [deployment] = draft.model.deployments;
      if (deployment === undefined) throw new Error('a drafted provider has one deployment');
      const signal = AbortSignal.any([abortSignalOf(callerOf(request, reply).signal), AbortSignal.timeout(timeoutMs)]);
      try {
        const names = await calls.dispatcher.listModels(deployment, { most: mostModels, signal });
        const models = names.map((model) => {
          const known = config.catalogue.find({ kind: spec.kind, host: null }, model);
          return { model, operations: known?.operations ?? null, context_window: known?.context_window ?? null };
        });
        return { ok: true, duration_ms: monotonicNow() - startedAt, models };
      } catch (thrown) {
        return failedTest(thrown, startedAt, request);
      }
    },
  );
}
