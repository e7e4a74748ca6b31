/** The news of one run, kept from its beginning for everybody who follows it, whenever they come. */
import type { JsonObject } from '../../types/json.ts';

export interface RunEvent {
  readonly name: string;
  readonly data: JsonObject;
}

export interface RunEventLog {
  add(news: readonly RunEvent[]): void;
  /** The last news; whoever follows is done with it. */
  end(last: RunEvent): void;
  /** All news that are kept, then what comes, until the end. Throws the signal's reason as soon as the listener may hear no more. */
  follow(signal: AbortSignal): AsyncIterable<readonly RunEvent[]>;
}

/** Of the oldest news of a long text, only the sum is worth keeping: `completed` has all of it. */
const mostNews = 5_000;

export function createRunEventLog(first: RunEvent): RunEventLog {
  const kept = [first];
  /** So much of the oldest news is not kept any more. */
  let dropped = 0;
  let ended = false;
  /** Called with each piece of news. */
  const listeners = new Set<() => void>();

  const add = (news: readonly RunEvent[]): void => {
    kept.push(...news);
    const surplus = kept.length - mostNews;
    if (surplus > 0) {
      kept.splice(0, surplus);
      dropped += surplus;
    }
    for (const listener of listeners) listener();
  };
  const nextNews = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      // Aborted while the caller read: that is not told again.
      if (signal.aborted) return resolve();
      const listen = (): void => {
        listeners.delete(listen);
        signal.removeEventListener('abort', listen);
        resolve();
      };
      listeners.add(listen);
      signal.addEventListener('abort', listen);
    });

  return {
    add,
    end(last) {
      ended = true;
      add([last]);
    },
    async *follow(signal) {
      let heard = 0;
      for (;;) {
        signal.throwIfAborted();
        const fresh = kept.slice(Math.max(0, heard - dropped));
        heard = dropped + kept.length;
        if (fresh.length > 0) yield fresh;
        // More may have come while the caller read.
        if (heard < dropped + kept.length) continue;
        if (ended) return;
        await nextNews(signal);
      }
    },
  };
}
