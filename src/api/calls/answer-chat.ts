/** The last step of a chat call: events to the caller, as one body or as a stream. */
import type { FastifyReply } from 'fastify';
import { collectCompletion, createChunkEmitter } from '../../models/faces/chat-completions/emitter.ts';
import { toGatewayError } from '../../types/errors.ts';
import type { ChatAnswer } from './route-chat.ts';
import type { ParsedChat } from './chat-body.ts';
import { writeStream } from '../stream-writer.ts';

/** Which deployment answered, after how many attempts, and what was left out for it. */
export function addAnswerHeaders(reply: FastifyReply, answer: Pick<ChatAnswer, 'run' | 'deployment' | 'attempts' | 'warnings'>): void {
  if (answer.deployment !== null) reply.header('x-pailou-deployment', answer.deployment);
  if (answer.attempts !== null) reply.header('x-pailou-attempts', answer.attempts);
  if (answer.warnings.length > 0) reply.header('x-pailou-warnings', answer.warnings.join('; ').slice(0, 1_000));
  reply.header('x-pailou-trace-id', answer.run.id);
}

/** Sends the answer. A failure before the first byte is thrown; one after it becomes an error event and the end, never a clean one. */
export async function answerChat(reply: FastifyReply, chat: ParsedChat, answer: ChatAnswer): Promise<void> {
  const options = {
    id: `chatcmpl-${answer.run.id.replaceAll('-', '')}`,
    created: Math.floor(Date.now() / 1000),
    model: chat.request.body.model,
    includeUsage: chat.includeUsage,
    reasoning: chat.reasoning,
  };
  addAnswerHeaders(reply, answer);
  if (!chat.stream) {
    const body = await collectCompletion(answer.events, options);
    await reply.header('content-type', 'application/json; charset=utf-8').send(body);
    return;
  }
  const emitter = createChunkEmitter(options);
  await writeStream(reply, answer.events, {
    write: (batch) => emitter.write(batch),
    fail: (thrown) => emitter.error(toGatewayError(thrown), String(reply.request.id)),
  });
}
