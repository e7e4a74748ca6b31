/** Ends the events of a skill's run on abort, even when the skill's code ignores the signal. */
import { setTimeout as sleep } from 'node:timers/promises';
import { abortable } from '../../outbound/abortable.ts';
import type { Run } from '../../telemetry/run.ts';
import type { ChatEvent, ChatEvents } from '../../types/chat.ts';

const mostToBookMs = 1_000;

/** Waits a moment until an aborted run is recorded, because its usage is part of the parent's. */
export async function settledRun(run: Run): Promise<void> {
  await Promise.race([run.quiet(), sleep(mostToBookMs, undefined, { ref: false })]);
}

/** Yields events until the signal is aborted, then throws the signal's reason. */
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
    // Code that ignores the signal would also block here.
    if (signal.aborted) left.catch(() => {});
    else await left;
  }
}
