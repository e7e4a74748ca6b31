/** POST /v1/rerank */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { renderRerank } from '../../models/client-formats/rerank.ts';
import { estimateTokens } from '../../models/estimate-usage.ts';
import { sizeOfUsage } from '../../quota/limit-requests.ts';
import type { Usage } from '../../types/chat.ts';
import type { RerankBody } from '../../types/wire-format.ts';
import { addAnswerHeaders } from '../answers/answer-chat.ts';
import { endRunWithError } from '../../application/models/recorded-run.ts';
import { callContext } from '../../application/models/call-context.ts';
import { requireModel } from '../../application/caller.ts';
import { callerOf } from '../request-caller.ts';
import { checkBody } from '../../application/chat/chat-body.ts';
import { openRun, requireOperation } from '../../application/models/invoke-model.ts';
import type { CallServices } from '../../application/services.ts';

const rerankBodySchema = z.looseObject({
  model: z.string().min(1).max(256),
  query: z.string().min(1),
  documents: z
    .array(z.union([z.string(), z.looseObject({})]))
    .min(1)
    .max(10_000),
  top_n: z.int().min(1).optional(),
  return_documents: z.boolean().optional(),
});

/** Cohere bills one search per hundred documents. https://docs.cohere.com/docs/how-does-cohere-pricing-work */
const documentsPerSearch = 100;

/** An estimate when the vendor reports no count. */
function estimatedUsage({ query, documents }: RerankBody): Usage {
  const words = documents.map((each) => (typeof each === 'string' ? each : JSON.stringify(each))).join('\n');
  return {
    inputTokens: estimateTokens(query) + estimateTokens(words),
    outputTokens: 0,
    searches: Math.ceil(documents.length / documentsPerSearch),
    estimated: true,
  };
}

/** Vendors report either tokens or searches. */
function usageOf(reported: Usage | null, body: RerankBody): Usage {
  const { searches: _searches, ...guess } = estimatedUsage(body);
  if (reported === null) return estimatedUsage(body);
  return reported.inputTokens === 0 ? { ...reported, ...guess } : reported;
}

export function addRerank(app: FastifyInstance, services: CallServices): void {
  app.post(
    '/v1/rerank',
    {
      config: { access: ['llm:model:use'] },
      schema: {
        tags: ['calls'],
        summary: 'Order documents by how well they answer a query',
        description: "Cohere's and Jina's shape. Fields that Pailou does not know are passed to the vendor.",
        body: rerankBodySchema,
      },
    },
    async (request, reply) => {
      const { body: given, checked } = checkBody(request.body, rerankBodySchema, 'model, query and documents');
      const body = given as unknown as RerankBody;
      const caller = callerOf(request, reply);
      const model = requireModel(caller, body.model);
      requireOperation(model, 'rerank');
      const run = openRun(services, caller, null, `model/${model.name}`, 'rerank', false);
      try {
        const context = callContext(services, caller, run, { stream: false, size: () => sizeOfUsage(estimatedUsage(body)) });
        const answer = await services.dispatcher.rerank(model, body, context);
        const usage = usageOf(answer.usage, body);
        run.used(usage);
        run.end('complete');
        addAnswerHeaders(reply, { run, deployment: answer.deployment.id, attempts: answer.attempts, warnings: answer.warnings });
        return await reply.header('content-type', 'application/json; charset=utf-8').send(
          renderRerank(answer.results, {
            id: `rerank-${run.id.replaceAll('-', '')}`,
            model: body.model,
            documents: body.documents,
            returnDocuments: checked.return_documents === true,
            topN: checked.top_n,
            usage,
          }),
        );
      } catch (thrown) {
        endRunWithError(run, thrown);
        throw thrown;
      }
    },
  );
}
