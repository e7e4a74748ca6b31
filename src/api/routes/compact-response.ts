/** POST /v1/responses/compact: a conversation in OpenAI's Responses format, compacted to one item by the model. */
import type { FastifyInstance } from 'fastify';
import { z } from 'zod';
import { checkBody, gatewaySchema } from '../../application/chat/chat-body.ts';
import { routeChat } from '../../application/route-chat.ts';
import type { CallServices } from '../../application/services.ts';
import { resolveEarlier } from '../../application/stored-responses.ts';
import { createResponseCollector } from '../../models/client-formats/responses/emitter.ts';
import { responseId } from '../../models/client-formats/responses/ids.ts';
import { readResponsesRequest, responsesBodySchema, type ResponsesRequest } from '../../models/client-formats/responses/request.ts';
import { renderError } from '../../models/client-formats/error.ts';
import type { Json, JsonObject } from '../../types/json.ts';
import { type AnswerCollector, answerWhenBegun } from '../answers/answer-chat.ts';
import { callerOf } from '../request-caller.ts';

const bodySchema = z.looseObject({
  ...responsesBodySchema.shape,
  input: responsesBodySchema.shape.input.nullish().describe('The conversation. Left out: that of previous_response_id.'),
  gateway: gatewaySchema,
});

/** The input that ends with the wish to compact it. */
function triggered(input: Json | undefined): Json[] {
  const items = typeof input === 'string' ? [{ role: 'user', content: input }] : ((input ?? []) as readonly Json[]);
  return [...items, { type: 'compaction_trigger' }];
}

function compactionCollector(asked: ResponsesRequest, runId: string): AnswerCollector {
  const created = Math.floor(Date.now() / 1000);
  let response: JsonObject = {};
  const collector = createResponseCollector({
    id: responseId(runId),
    created,
    model: asked.request.body.model,
    echo: {},
    reasoning: false,
    summary: false,
    encrypted: false,
    compaction: true,
    onComplete: (complete) => {
      ({ response } = complete);
    },
  });
  return {
    add: (events) => collector.add(events),
    text() {
      collector.text();
      const { id, output, usage } = response;
      return JSON.stringify({ id, object: 'response.compaction', created_at: created, output, usage });
    },
  };
}

export function addCompactResponse(app: FastifyInstance, services: CallServices): void {
  app.post(
    '/v1/responses/compact',
    {
      config: { access: ['llm:model:use', 'llm:skill:use'] },
      schema: {
        tags: ['calls'],
        summary: 'Compact a conversation to one item that a later input can carry',
        description: "OpenAI's vendors compact it themselves; at all others the model writes a summary.",
        body: bodySchema,
      },
    },
    async (request, reply) => {
      const { body } = checkBody(request.body, bodySchema, 'model and input');
      const { gateway: _own, input, ...given } = body;
      const caller = callerOf(request, reply);
      const earlier = await resolveEarlier(services.responses, caller, { ...given, input: triggered(input), stream: false });
      const asked = readResponsesRequest(earlier.body, earlier, request.headers);
      const beginning = routeChat(services, caller, { request: asked.request, stream: false, maxSteps: undefined, decisions: [] });
      answerWhenBegun(reply, beginning, false, {
        writerOf: ({ run }) => ({
          collect: () => compactionCollector(asked, run.id),
          stream: () => ({ write: () => '', error: renderError }),
        }),
        failure: renderError,
      });
      return reply;
    },
  );
}
