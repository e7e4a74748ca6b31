/** One attempt at one deployment. Events are held until one is visible, or until the answer is whole, then forwarded under the time limits. */
import { choicesOf } from '../models/choice-count.ts';
import { isStreamed, type ModelInvoker } from '../models/invoke.ts';
import { singleBatch } from '../models/single-batch.ts';
import { personKey } from '../types/access.ts';
import type { ChatEvent, ChatEvents, ChatRequest } from '../types/chat.ts';
import { GatewayError } from '../types/errors.ts';
import type { Deployment, ModelEntry } from '../types/snapshot.ts';
import { AttemptRecorder, type RecorderContext, consumerLeft, consumerStalled } from './attempt-recorder.ts';
import { Deadlines } from './deadlines.ts';
import { bufferAnswer } from './buffered-answer.ts';

export interface AttemptContext extends Omit<RecorderContext, 'whole'> {
  readonly invoker: ModelInvoker;
  /** The deadline of the whole call, epoch milliseconds. */
  readonly totalAt: number;
}

/** How the answer is delivered. */
export interface ChatAttemptOptions {
  /** True for a stream. */
  readonly stream: boolean;
  /** True when the attempt lasts until the whole answer: a failure at any point allows another deployment. */
  readonly whole: boolean;
  /** The beginning of the answer, already delivered; the model continues it. */
  readonly prefill?: string;
}

export interface AttemptAnswer {
  readonly events: ChatEvents;
  readonly warnings: readonly string[];
}

function isVisible(event: ChatEvent): boolean {
  return event.type !== 'response-start' && event.type !== 'step' && event.type !== 'response-end' && event.type !== 'vendor';
}

/** Resolves with the event stream of the answer at its first visible event, or when it is whole. Rejects when it fails before. Each later batch costs one promise; one timer checks the limits. */
export async function attemptChat(
  deployment: Deployment,
  model: ModelEntry,
  request: ChatRequest,
  { stream, whole, prefill }: ChatAttemptOptions,
  context: AttemptContext,
): Promise<AttemptAnswer> {
  const { run } = context;
  const { limits } = model.spec;
  const recorder = new AttemptRecorder(deployment, { ...context, whole, answers: choicesOf(request.body) });
  const deadlines = new Deadlines(context.signal, { at: context.totalAt, milliseconds: limits.total_ms });
  /** The real cause of a failure: an expired limit or a caller that left appears as an aborted socket. */
  const causeOf = (thrown: unknown): unknown => deadlines.failure ?? (context.signal.aborted ? context.signal.reason : thrown);
  try {
    deadlines.set('first token', isStreamed(deployment, stream) ? limits.first_token_ms : limits.total_ms);
    const answer = await context.invoker.chat(deployment, request, {
      stream,
      signal: deadlines.signal,
      scope: personKey(run.start.principal),
      ...(prefill === undefined ? {} : { prefill }),
    });
    recorder.answered(answer.status);
    const source = answer.events[Symbol.asyncIterator]();
    const buffered: ChatEvent[] = [];
    let seen = false;
    while (!seen) {
      const next = await source.next();
      if (next.done === true) throw new GatewayError('upstream_invalid_response', 'The vendor sent an empty answer.');
      for (const event of next.value) {
        buffered.push(event);
        seen ||= isVisible(event);
      }
      if (!seen && buffered.at(-1)?.type === 'response-end')
        throw new GatewayError('upstream_invalid_response', 'The vendor sent an answer without any content.');
    }
    recorder.visible();
    const last = buffered.at(-1);
    if (last?.type === 'response-end') {
      const usage = recorder.used(last.usage);
      if (usage !== last.usage) buffered[buffered.length - 1] = { ...last, usage };
      deadlines.clear();
      recorder.end(null);
      await source.return?.();
      return { warnings: [...answer.warnings, ...recorder.warnings], events: singleBatch(() => buffered) };
    }
    const events = rest(buffered, source, { recorder, deadlines, causeOf, idleMs: limits.idle_ms });
    if (!whole) return { warnings: answer.warnings, events };
    const all = await bufferAnswer(events, (error) => recorder.end(error));
    return { warnings: [...answer.warnings, ...recorder.warnings], events: all };
  } catch (thrown) {
    deadlines.clear();
    const failure = causeOf(thrown);
    recorder.end(failure);
    throw failure;
  }
}

interface Rest {
  readonly recorder: AttemptRecorder;
  readonly deadlines: Deadlines;
  readonly causeOf: (thrown: unknown) => unknown;
  readonly idleMs: number;
}

async function* rest(
  buffered: readonly ChatEvent[],
  source: AsyncIterator<readonly ChatEvent[]>,
  { recorder, deadlines, causeOf, idleMs }: Rest,
): AsyncGenerator<readonly ChatEvent[]> {
  /** Undefined: the reader left before the answer was complete. */
  let failure: unknown;
  let backpressured = false;
  // The deployment's permit is released on time even when the reader does not read; the delay is not the deployment's fault.
  deadlines.whenExpired(() => {
    if (backpressured) recorder.end(consumerStalled());
  });
  try {
    let batch = buffered;
    for (;;) {
      const last = batch.at(-1);
      if (last?.type === 'response-end') {
        const usage = recorder.used(last.usage);
        if (usage !== last.usage) batch = [...batch.slice(0, -1), { ...last, usage }];
        // Recorded before the last events are emitted, so that a client that has read them finds the attempt in the ledger.
        failure = null;
        recorder.end(null);
        deadlines.clear();
        yield batch;
        return;
      }
      // While the reader causes backpressure, silence is not the vendor's fault.
      deadlines.pause();
      backpressured = true;
      yield batch;
      backpressured = false;
      deadlines.set('idle', idleMs);
      const next = await source.next();
      if (next.done === true) throw new GatewayError('upstream_interrupted', 'The vendor ended the stream before the answer was complete.');
      batch = next.value;
    }
  } catch (thrown) {
    failure = causeOf(thrown);
    throw failure;
  } finally {
    deadlines.clear();
    recorder.end(failure === undefined ? causeOf(consumerLeft()) : failure);
    await source.return?.();
  }
}
