/** One attempt at a passthrough call: can fail over until the head of a valid answer arrives, then runs under the idle limit. */
import { checkStart } from '../models/answer-start.ts';
import { type PassthroughAnswer, type PassthroughRequest, UsageWatch } from '../models/passthrough.ts';
import { streamedMedia } from '../models/streamed-media.ts';
import type { Usage } from '../types/chat.ts';
import type { Deployment, ModelEntry } from '../types/snapshot.ts';
import type { AttemptContext } from './attempt.ts';
import { AttemptRecorder, consumerLeft, consumerStalled } from './attempt-recorder.ts';
import { Deadlines } from './deadlines.ts';
import { plausible } from './plausible-usage.ts';

export interface MeteredPassthrough extends PassthroughAnswer {
  /** The counts in the bytes that have been read so far. */
  usage(): Partial<Usage>;
}

export async function attemptPassthrough(
  deployment: Deployment,
  model: ModelEntry,
  request: PassthroughRequest,
  context: AttemptContext,
): Promise<MeteredPassthrough> {
  const { limits } = model.spec;
  const recorder = new AttemptRecorder(deployment, context, false);
  const deadlines = new Deadlines(context.signal, { at: context.totalAt, milliseconds: limits.total_ms });
  const causeOf = (thrown: unknown): unknown => deadlines.failure ?? (context.signal.aborted ? context.signal.reason : thrown);
  try {
    deadlines.set('total', limits.total_ms);
    const head = await context.invoker.relay(deployment, request, { signal: deadlines.signal, traceparent: context.run.traceparent });
    recorder.answered(head.status);
    deadlines.set('idle', limits.idle_ms);
    const { operation, fields } = request;
    const answer = streamedMedia(await checkStart(head, operation, deployment.provider.instance.reading), operation, fields);
    recorder.visible();
    context.run.firstToken();
    const watch = new UsageWatch(request.operation, answer.contentType.startsWith('application/json'));
    const body = watched(answer.body, { recorder, watch, deadlines, causeOf, idleMs: limits.idle_ms });
    return { ...answer, body, usage: () => usageIn(watch) };
  } catch (thrown) {
    deadlines.clear();
    const failure = causeOf(thrown);
    recorder.end(failure);
    throw failure;
  }
}

/** The plausible counts only. */
function usageIn({ counted }: UsageWatch): Partial<Usage> {
  const known = plausible({ inputTokens: 0, outputTokens: 0, ...counted }, null, () => {});
  if (known === null) return {};
  return Object.fromEntries(Object.entries(known).filter(([name]) => name in counted));
}

interface Watched {
  readonly recorder: AttemptRecorder;
  readonly watch: UsageWatch;
  readonly deadlines: Deadlines;
  readonly causeOf: (thrown: unknown) => unknown;
  readonly idleMs: number;
}

async function* watched(body: AsyncIterable<Buffer>, { recorder, watch, deadlines, causeOf, idleMs }: Watched): AsyncGenerator<Buffer> {
  /** Undefined: the reader left before the end. */
  let failure: unknown;
  let backpressured = false;
  // The deployment's permit is released on time even when the reader does not read; the delay is not the deployment's fault.
  deadlines.whenExpired(() => {
    if (backpressured) recorder.end(consumerStalled());
  });
  try {
    deadlines.set('idle', idleMs);
    for await (const bytes of body) {
      watch.add(bytes);
      // While the reader causes backpressure, silence is not the vendor's fault.
      deadlines.pause();
      backpressured = true;
      yield bytes;
      backpressured = false;
      deadlines.set('idle', idleMs);
    }
    failure = null;
  } catch (thrown) {
    failure = causeOf(thrown);
    throw failure;
  } finally {
    deadlines.clear();
    const { counted } = watch;
    if (Object.keys(counted).length > 0) recorder.used({ inputTokens: 0, outputTokens: 0, ...counted });
    recorder.end(failure === undefined ? causeOf(consumerLeft()) : failure);
  }
}
