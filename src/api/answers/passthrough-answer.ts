/** Answers a passthrough call: checks the right, opens the run, forwards the bytes, records the run. */
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

/** The usage when the vendor reports no counts. */
type Estimate = () => Usage;

/** The vendor's counts, completed by the request. */
function usageOf(answer: MeteredPassthrough, estimate: Estimate): Usage {
  const { estimated: _guess, ...asked } = estimate();
  const told = answer.usage();
  return { ...asked, ...told, ...(Object.keys(told).length === 0 ? { estimated: true } : {}) };
}

/** `requestId` is part of the error event that ends a failed event stream. Any other body is cut. */
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

/** The size of an image or a sound in tokens is unknown before the call, so the limit's own estimate counts. */
function sizeOf({ inputTokens, outputTokens: _unknown, ...units }: Usage, answers: number): CallSize {
  return { inputTokens, outputTokens: null, answers, units };
}

/** Throws a failure before the response head. A later failure cuts the connection, which is never a clean end. */
export async function answerPassthrough(
  services: CallServices,
  caller: Caller,
  reply: FastifyReply,
  name: string,
  request: PassthroughRequest,
  estimate: Estimate,
  /** The number of results that are requested at once. */
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
