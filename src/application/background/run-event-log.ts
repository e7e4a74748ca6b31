/** The events of one run, stored from its beginning for followers that join at any time. */
import type { JsonObject } from '../../types/json.ts';

export interface RunEvent {
  readonly name: string;
  readonly data: JsonObject;
}

export interface RunEventLog {
  add(added: readonly RunEvent[]): void;
  /** Adds the last event and ends all followers. */
  end(last: RunEvent): void;
  /** All stored events, then new ones until the end. Throws the signal's reason when it is aborted. */
  follow(signal: AbortSignal): AsyncIterable<readonly RunEvent[]>;
}

/** The maximum number of stored events. Older ones are dropped, because `completed` contains the whole text. */
const mostEvents = 5_000;

export function createRunEventLog(first: RunEvent): RunEventLog {
  const stored = [first];
  /** The number of dropped events. */
  let dropped = 0;
  let ended = false;
  /** Called for each addition. */
  const listeners = new Set<() => void>();

  const add = (added: readonly RunEvent[]): void => {
    stored.push(...added);
    const surplus = stored.length - mostEvents;
    if (surplus > 0) {
      stored.splice(0, surplus);
      dropped += surplus;
    }
    for (const listener of listeners) listener();
  };
  const nextEvents = (signal: AbortSignal): Promise<void> =>
    new Promise((resolve) => {
      // The abort event does not fire again for a signal that is already aborted.
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
      let position = 0;
      for (;;) {
        signal.throwIfAborted();
        const unread = stored.slice(Math.max(0, position - dropped));
        position = dropped + stored.length;
        if (unread.length > 0) yield unread;
        // Events may have been added while the follower processed the batch.
        if (position < dropped + stored.length) continue;
        if (ended) return;
        await nextEvents(signal);
      }
    },
  };
}
