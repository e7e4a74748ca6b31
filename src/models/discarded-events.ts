/** Discards an answer that has no reader, after its call was made. */
import type { ChatEvents } from '../types/chat.ts';

/** Ends the events, so that the connection is closed and the usage is recorded. */
export async function discardEvents(events: ChatEvents): Promise<void> {
  const reader = events[Symbol.asyncIterator]();
  try {
    // A generator can only be ended after its start.
    await reader.next();
    await reader.return?.();
  } catch {
    // The events have ended by themselves.
  }
}
