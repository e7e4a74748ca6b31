/** POST /v1/messages and /v1/messages/count_tokens: Anthropic's format, for any model or skill. */
import type { FastifyInstance, FastifyRequest } from 'fastify';
import { countTokens } from '../../models/client-formats/messages/count-tokens.ts';
import { createMessageCollector, createMessageEmitter, failedStream, pingEvent } from '../../models/client-formats/messages/emitter.ts';
import {
  countTokensBodySchema,
  messagesBodySchema,
  type MessagesRequest,
  readMessagesRequest,
} from '../../models/client-formats/messages/request.ts';
import { loadTokenizer } from '../../models/estimate-usage.ts';
import { GatewayError } from '../../types/errors.ts';
import { answerWhenBegun, type AnswerWriter, type LateHead } from '../answers/answer-chat.ts';
import { requireModel, requireSkill } from '../../application/caller.ts';
import { callerOf } from '../request-caller.ts';
import { checkBody, decisionsOf, gatewaySchema } from '../../application/chat/chat-body.ts';
import { type ChatAnswer, routeChat } from '../../application/route-chat.ts';
import type { CallServices } from '../../application/services.ts';

const bodySchema = messagesBodySchema.extend({ gateway: gatewaySchema });

/** The beta features that the client names. They are forwarded to a vendor of the same format. */
function betaOf(request: FastifyRequest): string | undefined {
  const given = request.headers['anthropic-beta'];
  const text = (Array.isArray(given) ? given.join(',') : (given ?? '')).trim();
  if (text === '') return undefined;
  if (/^[\w.,: -]{1,2000}$/.test(text)) return text;
  throw new GatewayError('invalid_request', 'anthropic-beta: must be a comma-separated list of names.', { param: 'anthropic-beta' });
}

/** True when the client asked for server-side tool blocks. */
const knowsMcpBlocks = (beta: string | undefined): boolean => /(?:^|[, ])mcp-client-/.test(beta ?? '');

function messageWriter(
  asked: MessagesRequest,
  shown: { readonly reasoning: boolean; readonly mcpBlocks: boolean },
  answer: ChatAnswer,
  late: LateHead | undefined,
): AnswerWriter {
  const options = {
    ...(late === undefined ? {} : { late }),
    id: `msg_${answer.run.id.replaceAll('-', '')}`,
    model: asked.request.body.model,
    ...shown,
    estimatedInput: () => countTokens(asked.request.body),
  };
  return { collect: () => createMessageCollector(options), stream: () => createMessageEmitter(options) };
}

export function addMessages(app: FastifyInstance, services: CallServices): void {
  const access = ['llm:model:use', 'llm:skill:use'] as const;

  app.post(
    '/v1/messages',
    {
      config: { access },
      schema: {
        tags: ['calls'],
        summary: "Call a model or a skill in Anthropic's format, streamed or not",
        description: "Anthropic's Messages. The token may also be sent as x-api-key. Errors have Anthropic's shape.",
        body: bodySchema,
      },
    },
    (request, reply) => {
      const { body, checked } = checkBody(request.body, bodySchema, 'model, max_tokens and messages');
      const { gateway: _own, ...given } = body;
      const beta = betaOf(request);
      const asked = readMessagesRequest(given, beta);
      const caller = callerOf(request, reply);
      const beginning = routeChat(services, caller, {
        ...asked,
        maxSteps: checked.gateway?.max_steps,
        decisions: decisionsOf(checked.gateway),
      });
      const reasoning = asked.reasoning && checked.gateway?.reasoning !== false;
      reply.header('request-id', request.id);
      answerWhenBegun(reply, beginning, asked.stream, {
        writerOf: (answer, late) => messageWriter(asked, { reasoning, mcpBlocks: knowsMcpBlocks(beta) }, answer, late),
        failure: failedStream,
        ping: pingEvent,
      });
    },
  );

  app.post(
    '/v1/messages/count_tokens',
    {
      config: { access },
      schema: {
        tags: ['calls'],
        summary: 'Estimate the tokens of a message',
        description:
          'An estimate, marked by the header x-pailou-estimated: texts by a tokenizer, every picture as 1,600 tokens, every file as 2,000 a page of about 50 kB.',
        body: countTokensBodySchema,
      },
    },
    async (request, reply) => {
      const { body } = checkBody(request.body, countTokensBodySchema, 'model and messages');
      const { gateway: _own, ...given } = body;
      const { request: chat } = readMessagesRequest(given, betaOf(request));
      const caller = callerOf(request, reply);
      const { model } = chat.body;
      if (model.startsWith('skill/')) requireSkill(caller, model.slice('skill/'.length));
      else requireModel(caller, model);
      // Without the tokenizer the estimate is rougher.
      await loadTokenizer().catch(() => {});
      reply.header('request-id', request.id).header('x-pailou-estimated', 'true');
      return reply.header('content-type', 'application/json; charset=utf-8').send(JSON.stringify({ input_tokens: countTokens(chat.body) }));
    },
  );
}
