/** One try at one deployment: held back until something is visible, or until it is whole, then passed on under the time limits. */
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
  /** When the whole call must have ended, epoch milliseconds. */
  readonly totalAt: number;
}

/** How an answer is wanted. */
export interface ChatAttemptOptions {
  /** As a stream. */
  readonly stream: boolean;
  /** The attempt is not over before the answer is: whatever breaks it, another deployment may be asked. */
  readonly whole: boolean;
  /** The answer has begun elsewhere with these words and is to go on from there. */
  readonly prefill?: string;
}

export interface AttemptAnswer {
  readonly events: ChatEvents;
  readonly warnings: readonly string[];
}

function isVisible(event: ChatEvent): boolean {
  return event.type !== 'response-start' && event.type !== 'step' && event.type !== 'response-end' && event.type !== 'vendor';
}

/**
 * Resolves with the whole event stream of the answer once its first visible event has come, or once it is whole; rejects if it fails before.
 * Each later batch costs one promise; the limits are checked by one timer.
 */
export async function attemptChat(
  deployment: Deployment,
  model: ModelEntry,
  request: ChatRequest,
  { stream, whole, prefill }: ChatAttemptOptions,
  context: AttemptContext,
): Promise<AttemptAnswer> {
  const { run } = context;
  const { limits } = model.spec;
  const book = new AttemptRecorder(deployment, { ...context, whole, answers: choicesOf(request.body) });
  const deadlines = new Deadlines(context.signal, { at: context.totalAt, milliseconds: limits.total_ms });
  /** What the failure was in truth: a limit that passed, or the caller who left, shows up as an aborted socket. */
  const truth = (thrown: unknown): unknown => deadlines.failure ?? (context.signal.aborted ? context.signal.reason : thrown);
  try {
    deadlines.set('first token', isStreamed(deployment, stream) ? limits.first_token_ms : limits.total_ms);
    const answer = await context.invoker.chat(deployment, request, {
      stream,
      signal: deadlines.signal,
      scope: personKey(run.start.principal),
      ...(prefill === undefined ? {} : { prefill }),
    });
    book.answered(answer.status);
    const source = answer.events[Symbol.asyncIterator]();
    const held: ChatEvent[] = [];
    let seen = false;
    while (!seen) {
      const next = await source.next();
      if (next.done === true) throw new GatewayError('upstream_invalid_response', 'The vendor sent an empty answer.');
      for (const event of next.value) {
        held.push(event);
        seen ||= isVisible(event);
      }
      if (!seen && held.at(-1)?.type === 'response-end')
        throw new GatewayError('upstream_invalid_response', 'The vendor sent an answer without any content.');
    }
    book.visible();
    const last = held.at(-1);
    if (last?.type === 'response-end') {
      const usage = book.used(last.usage);
      if (usage !== last.usage) held[held.length - 1] = { ...last, usage };
      deadlines.clear();
      book.end(null);
      await source.return?.();
      return { warnings: [...answer.warnings, ...book.warnings], events: singleBatch(() => held) };
    }
    const events = rest(held, source, { book, deadlines, truth, idleMs: limits.idle_ms });
    return { warnings: answer.warnings, events: whole ? await bufferAnswer(events, (error) => book.end(error)) : events };
  } catch (thrown) {
    deadlines.clear();
    const failure = truth(thrown);
    book.end(failure);
    throw failure;
  }
}

interface Rest {
  readonly book: AttemptRecorder;
  readonly deadlines: Deadlines;
  readonly truth: (thrown: unknown) => unknown;
  readonly idleMs: number;
}

async function* rest(
  held: readonly ChatEvent[],
  source: AsyncIterator<readonly ChatEvent[]>,
  { book, deadlines, truth, idleMs }: Rest,
): AsyncGenerator<readonly ChatEvent[]> {
  /** Undefined: the reader left before the answer was complete. */
  let failure: unknown;
  let heldUp = false;
  // The deployment's place is given back in time also while the reader takes nothing, which is not its fault.
  deadlines.whenExpired(() => {
    if (heldUp) book.end(consumerStalled());
  });
  try {
    let batch = held;
    for (;;) {
      const last = batch.at(-1);
      if (last?.type === 'response-end') {
        const usage = book.used(last.usage);
        if (usage !== last.usage) batch = [...batch.slice(0, -1), { ...last, usage }];
        // Booked before the last words go out, so that whoever has read them finds the attempt in the ledger.
        failure = null;
        book.end(null);
        deadlines.clear();
        yield batch;
        return;
      }
      // While the reader holds us back, silence is not the vendor's fault.
      deadlines.pause();
      heldUp = true;
      yield batch;
      heldUp = false;
      deadlines.set('idle', idleMs);
      const next = await source.next();
      if (next.done === true) throw new GatewayError('upstream_interrupted', 'The vendor ended the stream before the answer was complete.');
      batch = next.value;
    }
  } catch (thrown) {
    failure = truth(thrown);
    throw failure;
  } finally {
    deadlines.clear();
    book.end(failure === undefined ? truth(consumerLeft()) : failure);
    await source.return?.();
  }
}
