/** POST /v1/embeddings */
import type { FastifyInstance, FastifyReply } from 'fastify';
import { z } from 'zod';
import { renderEmbeddings } from '../../models/client-formats/embeddings.ts';
import { estimateTokens } from '../../models/estimate-usage.ts';
import type { Usage } from '../../types/chat.ts';
import type { EmbeddingsAnswer, EmbeddingsBody } from '../../types/wire-format.ts';
import { addAnswerHeaders } from '../answers/answer-chat.ts';
import { endRunWithError } from '../../application/models/recorded-run.ts';
import { callContext } from '../../application/models/call-context.ts';
import { requireModel } from '../../application/caller.ts';
import { callerOf } from '../request-caller.ts';
import { checkBody } from '../../application/chat/chat-body.ts';
import { openRun, requireOperation } from '../../application/models/invoke-model.ts';
import { admitCachedAnswer, findCachedAnswer, isOwnAnswer } from '../../application/models/cached-answer.ts';
import type { CallServices } from '../../application/services.ts';

const token = z.int().min(0);
const embeddingsBodySchema = z.looseObject({
  model: z.string().min(1).max(256),
  input: z.union([z.string().min(1), z.array(z.string()).min(1), z.array(token).min(1), z.array(z.array(token).min(1)).min(1)], {
    error: 'must be a text, a list of texts, or token numbers, and not empty',
  }),
  encoding_format: z.enum(['float', 'base64']).optional(),
  dimensions: z.int().min(1).optional(),
});

type KeptVectors = Pick<EmbeddingsAnswer, 'vectors'> & { readonly usage: Usage };
type Answered = Parameters<typeof addAnswerHeaders>[1];

/** An estimate when the vendor reports no count. Token arrays are counted exactly. */
function estimatedUsage(input: EmbeddingsBody['input']): Usage {
  const inputTokens = [input].flat(2).reduce<number>((sum, part) => sum + (typeof part === 'number' ? 1 : estimateTokens(part)), 0);
  return { inputTokens, outputTokens: 0, estimated: true };
}

/** A lower bound of the text length, to skip serialising an answer that is too long for the cache. */
function leastLength(vectors: KeptVectors['vectors']): number {
  return vectors.reduce((sum, vector) => sum + (typeof vector === 'string' ? vector.length : vector.length * 2), 0);
}

export function addEmbeddings(app: FastifyInstance, services: CallServices): void {
  app.post(
    '/v1/embeddings',
    { config: { access: ['llm:model:use'] }, schema: { tags: ['calls'], summary: 'Turn texts into vectors', body: embeddingsBodySchema } },
    async (request, reply) => {
      const { body: given, checked } = checkBody(request.body, embeddingsBodySchema, 'model and input');
      const body = given as EmbeddingsBody;
      const caller = callerOf(request, reply);
      const model = requireModel(caller, body.model);
      requireOperation(model, 'embeddings');
      const place =
        model.spec.cache === undefined
          ? null
          : services.answers.place<KeptVectors>(model, caller.principal, {
              operation: 'embeddings',
              asked: { body },
              cacheControl: caller.cacheControl,
            });
      const kept = place === null ? null : await findCachedAnswer(caller, place);
      const run = openRun(services, caller, null, `model/${model.name}`, 'embeddings', false);
      const answered = (vectors: KeptVectors, answer: Omit<Answered, 'run'>): FastifyReply => {
        addAnswerHeaders(reply, { run, ...answer });
        const id = `embd-${run.id.replaceAll('-', '')}`;
        const options = { id, model: body.model, encoding: checked.encoding_format ?? 'float', usage: vectors.usage } as const;
        return reply.header('content-type', 'application/json; charset=utf-8').send(renderEmbeddings(vectors.vectors, options));
      };
      try {
        if (kept !== null) {
          await admitCachedAnswer(services, caller, run, model, kept);
          run.end('complete');
          return await answered(kept.value, { deployment: 'cache', attempts: 0, warnings: kept.warnings });
        }
        const context = callContext(services, caller, run, { stream: false, size: () => estimatedUsage(body.input) });
        const answer = await services.dispatcher.embeddings(model, body, context);
        const { vectors, warnings, attempts } = answer;
        const usage = answer.usage ?? estimatedUsage(body.input);
        run.used(usage);
        run.end('complete');
        const deployment = answer.deployment.id;
        if (place !== null && isOwnAnswer(model, deployment) && leastLength(vectors) <= place.maxBytes)
          place.keep({ vectors, usage }, warnings);
        return await answered({ vectors, usage }, { deployment, attempts, warnings });
      } catch (thrown) {
        endRunWithError(run, thrown);
        throw thrown;
      }
    },
  );
}
