/** The last step of a chat call, for every client format: writes the events as one body or as a stream. */
import type { FastifyReply } from 'fastify';
import type { ChatEvent, ChatEvents } from '../../types/chat.ts';
import { type GatewayError, toGatewayError } from '../../types/errors.ts';
import type { ChatAnswer } from '../../application/route-chat.ts';
import { writeStream } from './stream-writer.ts';
import { endRunWithError } from '../../application/models/recorded-run.ts';

/** Writes one answer in a client format. Only one of the two is used. */
export interface AnswerWriter {
  /** The whole answer as JSON text. Rejects with the error of the events. */
  collect(events: ChatEvents): Promise<string>;
  stream(): {
    /** The text of one batch; empty when there is nothing to write. */
    write(events: readonly ChatEvent[]): string;
    /** The last event of a failed stream. */
    error(error: GatewayError, requestId: string): string;
  };
}

/** Percent-encodes characters beyond ASCII, which headers cannot hold: `%E9%80%9A`. */
function headerText(text: string): string {
  return text.replace(/[^\x20-\x7e]+/g, (part) => encodeURIComponent(part.toWellFormed()));
}

/** Sets the headers that name the deployment, the attempts and the warnings. */
export function addAnswerHeaders(reply: FastifyReply, answer: Pick<ChatAnswer, 'run' | 'deployment' | 'attempts' | 'warnings'>): void {
  if (answer.deployment !== null) reply.header('x-pailou-deployment', headerText(answer.deployment));
  if (answer.attempts !== null) reply.header('x-pailou-attempts', answer.attempts);
  if (answer.warnings.length > 0) reply.header('x-pailou-warnings', headerText(answer.warnings.join('; ')).slice(0, 1_000));
  reply.header('x-pailou-trace-id', answer.run.id);
}

/** Sends the answer. Throws a failure before the first byte. A later failure becomes an error event and never a clean end. */
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
    // The events have no reader, so they would not record the run.
    endRunWithError(answer.run, thrown);
    throw thrown;
  }
}
