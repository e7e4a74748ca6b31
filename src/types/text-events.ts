/** A finished text as the event stream that everything else makes. */
import type { ChatEvent, Usage } from './chat.ts';

export async function* textEvents(text: string, usage: Usage | null = null): AsyncGenerator<readonly ChatEvent[]> {
  yield [
    { type: 'response-start' },
    { type: 'text-delta', choice: 0, text },
    { type: 'finish', choice: 0, reason: 'stop' },
    { type: 'response-end', usage },
  ];
}
