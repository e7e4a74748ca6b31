/** POST /v1/chat/completions */
import type { FastifyInstance } from 'fastify';
import { answerChat } from '../calls/answer-chat.ts';
import { callerOf } from '../calls/caller.ts';
import { chatBodySchema, parseChat } from '../calls/chat-body.ts';
import { routeChat } from '../calls/route-chat.ts';
import type { CallServices } from '../calls/services.ts';

export function addChatCompletions(app: FastifyInstance, services: CallServices): void {
  app.post(
    '/v1/chat/completions',
    {
      config: { access: ['llm:model:use', 'llm:skill:use'] },
      schema: {
        tags: ['calls'],
        summary: 'Ask a model or a skill, streamed or not',
        description: "OpenAI's Chat Completions. Fields that Pailou does not know pass on to the vendor.",
        body: chatBodySchema,
      },
    },
    async (request, reply) => {
      const chat = parseChat(request.body, request.jsonSource);
      const caller = callerOf(request, reply);
      await answerChat(reply, chat, await routeChat(services, caller, chat));
      return reply;
    },
  );
}
