/** An answer that is read to its end before anybody sees a word of it. */
import type { ChatEvent, ChatEvents } from '../types/chat.ts';
import { GatewayError } from '../types/errors.ts';

/** More than any model says: about as many characters as a whole answer may have bytes. */
const longest = 64 * 1024 * 1024;

function sizeOf(event: ChatEvent): number {
  switch (event.type) {
    case 'text-delta':
    case 'reasoning-delta':
    case 'refusal-delta':
      return event.text.length;
    case 'tool-call-delta':
      return event.arguments.length;
    case 'audio-delta':
      return JSON.stringify(event.audio).length;
    case 'image':
      return event.url.length;
    default:
      // What an event weighs that says nothing, so that they cannot be without end either.
      return 64;
  }
}

async function* again(batches: readonly (readonly ChatEvent[])[]): AsyncGenerator<readonly ChatEvent[]> {
  yield* batches;
}

/**
 * Resolves with the same batches once all are there. Rejects with what breaks them, and with `upstream_invalid_response` when there is
 * no end to them; `refuse` hears of that first.
 */
export async function bufferAnswer(events: ChatEvents, refuse: (error: GatewayError) => void): Promise<ChatEvents> {
  const batches: (readonly ChatEvent[])[] = [];
  let size = 0;
  for await (const batch of events) {
    for (const event of batch) size += sizeOf(event);
    if (size > longest) {
      const error = new GatewayError('upstream_invalid_response', 'The vendor sent an answer that is too large to be one.', {
        details: { limit: longest },
      });
      refuse(error);
      throw error;
    }
    batches.push(batch);
  }
  return again(batches);
}
