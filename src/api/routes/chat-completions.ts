/** POST /v1/chat/completions */
import type { FastifyInstance } from 'fastify';
import { createCompletionCollector, createChunkEmitter, failedStream } from '../../models/client-formats/chat-completions/emitter.ts';
import { customToolNames } from '../../models/conversation/custom-tools.ts';
import { answerWhenBegun, type AnswerWriter, type LateHead } from '../answers/answer-chat.ts';
import { callerOf } from '../request-caller.ts';
import { chatBodySchema, type ParsedChat, parseChat } from '../../application/chat/chat-body.ts';
import { type ChatAnswer, routeChat } from '../../application/route-chat.ts';
import type { CallServices } from '../../application/services.ts';

/** A UUID as 32 digits. */
function withoutDashes(id: string): string {
  return id.slice(0, 8) + id.slice(9, 13) + id.slice(14, 18) + id.slice(19, 23) + id.slice(24);
}

function completionWriter(chat: ParsedChat, answer: ChatAnswer, late: LateHead | undefined): AnswerWriter {
  const options = {
    ...(late === undefined ? {} : { late }),
    id: `chatcmpl-${withoutDashes(answer.run.id)}`,
    created: Math.floor(Date.now() / 1000),
    model: chat.request.body.model,
    includeUsage: chat.includeUsage,
    reasoning: chat.reasoning,
    customTools: customToolNames(chat.request.body.tools),
  };
  return { collect: () => createCompletionCollector(options), stream: () => createChunkEmitter(options) };
}

export function addChatCompletions(app: FastifyInstance, services: CallServices): void {
  app.post(
    '/v1/chat/completions',
    {
      config: { access: ['llm:model:use', 'llm:skill:use'] },
      schema: {
        tags: ['calls'],
        summary: 'Call a model or a skill, streamed or not',
        description: "OpenAI's Chat Completions. Fields that Pailou does not know are passed to the vendor.",
        body: chatBodySchema,
      },
    },
    (request, reply) => {
      const chat = parseChat(request.body, request.jsonSource);
      const beginning = routeChat(services, callerOf(request, reply), chat);
      answerWhenBegun(reply, beginning, chat.stream, {
        writerOf: (answer, late) => completionWriter(chat, answer, late),
        failure: failedStream,
      });
    },
  );
}
