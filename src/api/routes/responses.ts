/** POST /v1/responses, and GET and DELETE of a stored response: OpenAI's Responses format for any model or skill. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { createResponseCollector, createResponseEmitter } from '../../models/client-formats/responses/emitter.ts';
import { responseId } from '../../models/client-formats/responses/ids.ts';
import { readResponsesRequest, responsesBodySchema, type ResponsesRequest } from '../../models/client-formats/responses/request.ts';
import { newOrderedId } from '../../telemetry/ordered-id.ts';
import type { ResponseStore } from '../../storage/response-store.ts';
import { GatewayError } from '../../types/errors.ts';
import { answerWhenBegun, type AnswerWriter, type LateHead } from '../answers/answer-chat.ts';
import type { Caller } from '../../application/caller.ts';
import { callerOf } from '../request-caller.ts';
import { checkBody, decisionsOf, gatewaySchema } from '../../application/chat/chat-body.ts';
import { routeChat } from '../../application/route-chat.ts';
import type { CallServices } from '../../application/services.ts';
import { resolveEarlier, responseNotFound } from '../../application/stored-responses.ts';
import { principalOf } from '../request-context.ts';

const bodySchema = responsesBodySchema.extend({ gateway: gatewaySchema });

function responseWriter(
  asked: ResponsesRequest,
  runId: string,
  late: LateHead | undefined,
  keep: { readonly caller: Caller; readonly store: ResponseStore | null; readonly reasoning: boolean },
): AnswerWriter {
  const { store, caller } = keep;
  const id = responseId(runId);
  const options = {
    ...(late === undefined ? {} : { late }),
    id,
    created: Math.floor(Date.now() / 1000),
    model: asked.request.body.model,
    echo: { ...asked.echo, store: store !== null },
    reasoning: keep.reasoning,
    summary: asked.summary,
    encrypted: asked.encrypted,
    origins: asked.origins,
    compaction: asked.compaction,
    onComplete: ({ response, messages }: Parameters<Parameters<typeof createResponseEmitter>[0]['onComplete']>[0]) =>
      store?.keep(caller.principal, { id, response, messages: asked.compaction ? messages : [...asked.messages, ...messages] }),
  };
  return { collect: () => createResponseCollector(options), stream: () => createResponseEmitter(options) };
}

export function addResponses(app: FastifyInstance, services: CallServices): void {
  const access = ['llm:model:use', 'llm:skill:use'] as const;
  const tags = ['calls'];

  app.post(
    '/v1/responses',
    {
      config: { access },
      schema: {
        tags,
        summary: "Call a model or a skill in OpenAI's Responses format, streamed or not",
        description: 'Unless store is false, the response is stored for 30 days, so that a later call can name it as previous_response_id.',
        body: bodySchema,
      },
    },
    async (request, reply) => {
      const { body, checked } = checkBody(request.body, bodySchema, 'model and input');
      const { gateway: _own, ...given } = body;
      const caller = callerOf(request, reply);
      const earlier = await resolveEarlier(services.responses, caller, given);
      const asked = readResponsesRequest(earlier.body, earlier, request.headers);
      const beginning = routeChat(services, caller, {
        request: asked.request,
        stream: asked.stream,
        maxSteps: checked.gateway?.max_steps,
        decisions: decisionsOf(checked.gateway, asked.decisions),
      });
      const store = checked.store === false ? null : services.responses;
      const keep = { caller, store, reasoning: checked.gateway?.reasoning !== false };
      answerWhenBegun(reply, beginning, asked.stream, {
        writerOf: (answer, late) => responseWriter(asked, answer.run.id, late, keep),
        failure: (error, requestId) => responseWriter(asked, newOrderedId(), undefined, keep).stream().error(error, requestId),
      });
      return reply;
    },
  );

  const kept = async (request: FastifyRequest<{ Params: { id: string } }>): Promise<object> => {
    const stored = (await services.responses?.get(principalOf(request), request.params.id)) ?? null;
    if (stored === null) throw responseNotFound(request.params.id);
    return stored.response;
  };

  app.get<{ Params: { id: string }; Querystring: { stream?: string } }>(
    '/v1/responses/:id',
    { config: { access }, schema: { tags, summary: 'One of your stored responses' } },
    async (request, reply) => {
      if (request.query.stream === 'true') {
        throw new GatewayError('unsupported_parameter', 'stream: a stored response cannot be streamed again; leave it out.', {
          param: 'stream',
        });
      }
      return reply.header('content-type', 'application/json; charset=utf-8').send(JSON.stringify(await kept(request)));
    },
  );

  app.delete<{ Params: { id: string } }>(
    '/v1/responses/:id',
    { config: { access }, schema: { tags, summary: 'Delete one of your stored responses' } },
    async (request) => {
      const { id } = request.params;
      if ((await services.responses?.delete(principalOf(request), id)) !== true) throw responseNotFound(id);
      return { id, object: 'response', deleted: true };
    },
  );
}
