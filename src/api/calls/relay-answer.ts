/** A call whose body passes through: the right checked, the run opened, the bytes passed on as they come, the run booked. */
import { Readable } from 'node:stream';
import type { FastifyReply } from 'fastify';
import { type RelayRequest, UsageWatch } from '../../models/relay.ts';
import type { Usage } from '../../types/chat.ts';
import type { Run } from '../../telemetry/run.ts';
import { addAnswerHeaders } from './answer-chat.ts';
import { endFailed } from './booked.ts';
import { callContext } from './call-context.ts';
import { type Caller, requireModel } from './caller.ts';
import { openRun, requireOperation } from './invoke-model.ts';
import type { CallServices } from './services.ts';

/** What a vendor that gives no counts is taken to have used. */
type Estimate = () => Usage;

async function* booked(run: Run, body: AsyncIterable<Buffer>, watch: UsageWatch, estimate: Estimate): AsyncGenerator<Buffer> {
  let ended = false;
  try {
    for await (const bytes of body) {
      watch.add(bytes);
      yield bytes;
    }
    ended = true;
    run.used(watch.usage ?? estimate());
    run.end('complete');
  } catch (thrown) {
    ended = true;
    run.used(watch.usage ?? estimate());
    endFailed(run, thrown);
    throw thrown;
  } finally {
    if (!ended) {
      run.used(watch.usage ?? estimate());
      run.end('aborted', 'client_closed_request');
    }
  }
}

/** A failure before the head of the answer is thrown; one in the middle of its bytes cuts the connection, which is never a clean end. */
export async function answerRelay(
  services: CallServices,
  caller: Caller,
  reply: FastifyReply,
  name: string,
  request: RelayRequest,
  estimate: Estimate,
): Promise<FastifyReply> {
  const model = requireModel(caller, name);
  requireOperation(model, request.operation);
  const run = openRun(services, caller, null, `model/${model.name}`, request.operation, false);
  try {
    const context = callContext(services, caller, run, { stream: false, size: estimate });
    const answer = await services.dispatcher.relay(model, request, context);
    addAnswerHeaders(reply, { run, deployment: answer.deployment.id, attempts: answer.attempts, warnings: [] });
    reply.header('content-type', answer.contentType);
    if (answer.length !== null) reply.header('content-length', answer.length);
    return await reply.send(Readable.from(booked(run, answer.body, new UsageWatch(), estimate), { objectMode: false }));
  } catch (thrown) {
    endFailed(run, thrown);
    throw thrown;
  }
}
