/** One attempt at a call whose answer arrives at once, under the total limit only. */
import type { Usage } from '../types/chat.ts';
import type { Deployment, ModelEntry } from '../types/snapshot.ts';
import type { AttemptContext } from './attempt.ts';
import { AttemptRecorder } from './attempt-recorder.ts';
import { Deadlines } from './deadlines.ts';

export async function attemptOnce<T extends { readonly usage: Usage | null; readonly warnings?: readonly string[] }>(
  deployment: Deployment,
  model: ModelEntry,
  context: Omit<AttemptContext, 'invoker'>,
  call: (deployment: Deployment, signal: AbortSignal, counts: AttemptRecorder) => Promise<T>,
): Promise<T> {
  const { total_ms: milliseconds, first_byte_ms: firstByte } = model.spec.limits;
  const recorder = new AttemptRecorder(deployment, context, true);
  const deadlines = new Deadlines(context.signal, { at: context.totalAt, milliseconds });
  deadlines.set('first byte', firstByte);
  try {
    const answer = await call(deployment, deadlines.signal, recorder);
    recorder.visible();
    const usage = recorder.used(answer.usage);
    recorder.end(null);
    return usage === answer.usage ? answer : { ...answer, usage, warnings: [...(answer.warnings ?? []), ...recorder.warnings] };
  } catch (thrown) {
    const failure: unknown = deadlines.failure ?? (context.signal.aborted ? context.signal.reason : thrown);
    recorder.end(failure);
    throw failure;
  } finally {
    deadlines.clear();
  }
}
