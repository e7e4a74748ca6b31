/** The last step of a chat call, whichever face it came by: events to the caller, as one body or as a stream. */
import type { FastifyReply } from 'fastify';
import type { ChatEvent, ChatEvents } from '../../types/chat.ts';
import { type GatewayError, toGatewayError } from '../../types/errors.ts';
import type { ChatAnswer } from '../../application/route-chat.ts';
import { writeStream } from './stream-writer.ts';
import { endRunWithError } from '../../application/models/recorded-run.ts';

/** How a face writes one answer. Only one of the two is used. */
export interface AnswerWriter {
  /** The whole answer as JSON text. Rejects with what the events reject with. */
  collect(events: ChatEvents): Promise<string>;
  stream(): {
    /** The text of one batch; empty for nothing to say. */
    write(events: readonly ChatEvent[]): string;
    /** The last words of a stream that failed: never those of a complete one. */
    error(error: GatewayError, requestId: string): string;
  };
}

/** Names may be of any script, headers may not: whatever is beyond ASCII is written as in addresses, `%E9%80%9A`. */
function headerText(text: string): string {
  return text.replace(/[^\x20-\x7e]+/g, (part) => encodeURIComponent(part.toWellFormed()));
}

/** Which deployment answered, after how many attempts, and what was left out for it. */
export function addAnswerHeaders(reply: FastifyReply, answer: Pick<ChatAnswer, 'run' | 'deployment' | 'attempts' | 'warnings'>): void {
  if (answer.deployment !== null) reply.header('x-pailou-deployment', headerText(answer.deployment));
  if (answer.attempts !== null) reply.header('x-pailou-attempts', answer.attempts);
  if (answer.warnings.length > 0) reply.header('x-pailou-warnings', headerText(answer.warnings.join('; ')).slice(0, 1_000));
  reply.header('x-pailou-trace-id', answer.run.id);
}

/** Sends the answer. A failure before the first byte is thrown; one after it becomes an error event and the end, never a clean one. */
export async function answerChat(reply: FastifyReply, answer: ChatAnswer, streamed: boolean, writer: AnswerWriter): Promise<void> {
  addAnswerHeaders(reply, answer);
  if (!streamed) {
    const body = await writer.collect(answer.events);
    await reply.header('content-type', 'application/json; charset=utf-8').send(body);
    return;
  }
  const emitter = writer.stream();
  try {
    await writeStream(reply, answer.events, {
      write: (batch) => emitter.write(batch),
      fail: (thrown) => emitter.error(toGatewayError(thrown), String(reply.request.id)),
    });
  } catch (thrown) {
    // Nobody will read the events, so they would never book it.
    endRunWithError(answer.run, thrown);
    throw thrown;
  }
}
