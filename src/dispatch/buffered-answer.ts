/** Buffers an answer to its end before any of it is emitted. */
import type { ChatEvent, ChatEvents } from '../types/chat.ts';
import { GatewayError } from '../types/errors.ts';

/** The limit in characters, equal to the byte limit of a whole answer. No model writes more. */
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
      // The size of an event without content, so that such events are limited too.
      return 64;
  }
}

async function* again(batches: readonly (readonly ChatEvent[])[]): AsyncGenerator<readonly ChatEvent[]> {
  yield* batches;
}

/** Resolves with the same batches at the end of the answer. Rejects with its error, or with `upstream_invalid_response` above the limit; `refuse` is called with that error first. */
export async function bufferAnswer(events: ChatEvents, refuse: (error: GatewayError) => void): Promise<ChatEvents> {
  const batches: (readonly ChatEvent[])[] = [];
  let size = 0;
  for await (const batch of events) {
    for (const event of batch) size += sizeOf(event);
    if (size > longest) {
      const error = new GatewayError('upstream_invalid_response', 'The vendor sent an answer that is too large.', {
        details: { limit: longest },
      });
      refuse(error);
      throw error;
    }
    batches.push(batch);
  }
  return again(batches);
}
