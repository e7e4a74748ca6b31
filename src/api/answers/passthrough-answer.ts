/** A call whose body passes through: the right checked, the run opened, the bytes passed on as they come, the run booked. */
import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import type { MeteredPassthrough } from '../../dispatch/attempt-passthrough.ts';
import { renderError } from '../../models/client-formats/error.ts';
import type { PassthroughRequest } from '../../models/passthrough.ts';
import type { Usage } from '../../types/chat.ts';
import { toGatewayError } from '../../types/errors.ts';
import type { CallSize } from '../../quota/limit-requests.ts';
import type { Run } from '../../telemetry/run.ts';
import { closeStalledClient } from '../stalled-client.ts';
import { addAnswerHeaders } from './answer-chat.ts';
import { endRunWithError } from '../../application/models/recorded-run.ts';
import { callContext } from '../../application/models/call-context.ts';
import { type Caller, requireModel } from '../../application/caller.ts';
import { openRun, requireOperation } from '../../application/models/invoke-model.ts';
import type { CallServices } from '../../application/services.ts';

/** What a vendor that gives no counts is taken to have used. */
type Estimate = () => Usage;

/** What the answer counts, and for the rest what the request tells. */
function usageOf(answer: MeteredPassthrough, estimate: Estimate): Usage {
  const { estimated: _guess, ...asked } = estimate();
  const told = answer.usage();
  return { ...asked, ...told, ...(Object.keys(told).length === 0 ? { estimated: true } : {}) };
}

/** `requestId` names the call in the error event with which a stream of events ends that fails; any other body is cut. */
async function* recordRun(run: Run, answer: MeteredPassthrough, estimate: Estimate, requestId: string): AsyncGenerator<Buffer> {
  let ended = false;
  try {
    yield* answer.body;
    ended = true;
    run.used(usageOf(answer, estimate));
    run.end('complete');
  } catch (thrown) {
    ended = true;
    run.used(usageOf(answer, estimate));
    endRunWithError(run, thrown);
    if (!answer.contentType.startsWith('text/event-stream')) throw thrown;
    yield Buffer.from(`event: error\ndata: ${renderError(toGatewayError(thrown), requestId)}\n\n`);
  } finally {
    if (!ended) {
      run.used(usageOf(answer, estimate));
      run.end('aborted', 'client_closed_request');
    }
  }
}

/** How large a picture or a sound becomes in tokens is told by nobody beforehand, so that the limit's own expectation counts. */
function sizeOf({ inputTokens, outputTokens: _unknown, ...units }: Usage, answers: number): CallSize {
  return { inputTokens, outputTokens: null, answers, units };
}

/** A failure before the head of the answer is thrown; one in the middle of its bytes cuts the connection, which is never a clean end. */
export async function answerPassthrough(
  services: CallServices,
  caller: Caller,
  reply: FastifyReply,
  name: string,
  request: PassthroughRequest,
  estimate: Estimate,
  /** How many pieces are asked for at once. */
  answers = 1,
): Promise<FastifyReply> {
  const model = requireModel(caller, name);
  requireOperation(model, request.operation);
  const run = openRun(services, caller, null, `model/${model.name}`, request.operation, false);
  try {
    const context = callContext(services, caller, run, { stream: false, size: () => sizeOf(estimate(), answers) });
    const answer = await services.dispatcher.relay(model, request, context);
    addAnswerHeaders(reply, { run, deployment: answer.deployment.id, attempts: answer.attempts, warnings: [] });
    reply.header('content-type', answer.contentType);
    if (answer.length !== null) reply.header('content-length', answer.length);
    closeStalledClient(reply.raw, reply.server.unreadMs);
    return await reply.send(Readable.from(recordRun(run, answer, estimate, caller.requestId), { objectMode: false }));
  } catch (thrown) {
    endRunWithError(run, thrown);
    throw thrown;
  }
}
