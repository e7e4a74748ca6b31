/** One try at a call whose body passes through: retried until the head of a good answer is there, then under the idle limit. */
import type { RelayAnswer, RelayRequest } from '../models/relay.ts';
import type { Deployment, ModelEntry } from '../types/snapshot.ts';
import type { AttemptContext } from './attempt.ts';
import { AttemptBook, readerLeft } from './attempt-book.ts';
import { Deadlines } from './deadlines.ts';

export async function attemptRelay(
  deployment: Deployment,
  model: ModelEntry,
  request: RelayRequest,
  context: AttemptContext,
): Promise<RelayAnswer> {
  const { limits } = model.spec;
  const book = new AttemptBook(deployment, { ...context, whole: false });
  const deadlines = new Deadlines(context.signal, { at: context.totalAt, milliseconds: limits.total_ms });
  const truth = (thrown: unknown): unknown => deadlines.failure ?? (context.signal.aborted ? context.signal.reason : thrown);
  try {
    deadlines.set('total', limits.total_ms);
    const answer = await context.invoker.relay(deployment, request, { signal: deadlines.signal });
    book.answered(answer.status);
    book.visible();
    context.run.firstToken();
    return { ...answer, body: watched(answer.body, { book, deadlines, truth, idleMs: limits.idle_ms }) };
  } catch (thrown) {
    deadlines.clear();
    const failure = truth(thrown);
    book.end(failure);
    throw failure;
  }
}

async function* watched(
  body: AsyncIterable<Buffer>,
  { book, deadlines, truth, idleMs }: { book: AttemptBook; deadlines: Deadlines; truth: (thrown: unknown) => unknown; idleMs: number },
): AsyncGenerator<Buffer> {
  /** Undefined: the reader left before the end. */
  let failure: unknown;
  try {
    deadlines.set('idle', idleMs);
    for await (const bytes of body) {
      // While the reader holds us back, silence is not the vendor's fault.
      deadlines.pause();
      yield bytes;
      deadlines.set('idle', idleMs);
    }
    failure = null;
  } catch (thrown) {
    failure = truth(thrown);
    throw failure;
  } finally {
    deadlines.clear();
    book.end(failure === undefined ? readerLeft() : failure);
  }
}
