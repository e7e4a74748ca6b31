/** The time limit of a call. It pauses while a person answers a question. */
import { monotonicNow } from '../scheduling/monotonic-clock.ts';

export interface Deadline {
  readonly signal: AbortSignal;
  /** Pauses the time limit while `work` is in progress. */
  paused<T>(work: Promise<T>): Promise<T>;
  end(): void;
}

/** `signal` is aborted with a TimeoutError after `ms`. */
export function createDeadline(ms: number): Deadline {
  const controller = new AbortController();
  let left = ms;
  let began = monotonicNow();
  let pauses = 0;
  let timer: NodeJS.Timeout | undefined;
  const start = (): void => {
    began = monotonicNow();
    timer = setTimeout(() => controller.abort(new DOMException('The call has reached its time limit.', 'TimeoutError')), left);
    timer.unref();
  };
  start();
  return {
    signal: controller.signal,
    async paused(work) {
      if (pauses++ === 0) {
        clearTimeout(timer);
        left = Math.max(0, left - (monotonicNow() - began));
      }
      try {
        return await work;
      } finally {
        if (--pauses === 0 && timer !== undefined) start();
      }
    },
    end() {
      clearTimeout(timer);
      timer = undefined;
    },
  };
}

/** The same peer, whose answers pause the time limit. */
export function pausingDeadline<P extends { readonly ask?: ((...given: never[]) => Promise<unknown>) | undefined }>(
  peer: P,
  deadline: Deadline,
): P {
  const { ask } = peer;
  return ask === undefined ? peer : { ...peer, ask: (...given: never[]) => deadline.paused(ask(...given)) };
}
