/** An answer that nobody will read, though its call has been made. */
import type { ChatEvents } from '../types/chat.ts';

/** Ends it, so that its connection is dropped and what it spent is booked. */
export async function discardEvents(events: ChatEvents): Promise<void> {
  const reader = events[Symbol.asyncIterator]();
  try {
    // Only what has begun can be ended.
    await reader.next();
    await reader.return?.();
  } catch {
    // It has ended by itself.
  }
}
