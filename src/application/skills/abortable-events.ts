/** The events of a skill's run until it is cut off: code of others need not hear the signal. */
import { setTimeout as sleep } from 'node:timers/promises';
import { abortable } from '../../outbound/abortable.ts';
import type { Run } from '../../telemetry/run.ts';
import type { ChatEvent, ChatEvents } from '../../types/chat.ts';

const mostToBookMs = 1_000;

/** Resolves when what the run was cut off from is booked, in a moment: it is a part of what the run spent. */
export async function settledRun(run: Run): Promise<void> {
  await Promise.race([run.quiet(), sleep(mostToBookMs, undefined, { ref: false })]);
}

/** The events, for no longer than the signal lets. Throws its reason, whatever the cut looks like from inside. */
export async function* untilAborted(events: ChatEvents, signal: AbortSignal, run: Run): AsyncGenerator<readonly ChatEvent[]> {
  const source = events[Symbol.asyncIterator]();
  try {
    for (;;) {
      const next = await abortable(source.next(), signal);
      if (next.done === true) return;
      yield next.value;
    }
  } catch (thrown) {
    if (!signal.aborted) throw thrown;
    await settledRun(run);
    throw signal.reason;
  } finally {
    const left = Promise.resolve(source.return?.());
    // Whoever does not hear the signal would keep the caller waiting here as well.
    if (signal.aborted) left.catch(() => {});
    else await left;
  }
}
