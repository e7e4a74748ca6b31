/** Finished texts as event streams, and event streams as texts: what skills and plain callers need of them. */
import type { ChatEvent, ChatEvents, Usage } from './chat.ts';

/** One text as the answer of a model. */
export async function* textEvents(text: string, usage: Usage | null = null): AsyncGenerator<readonly ChatEvent[]> {
  yield [
    { type: 'response-start' },
    { type: 'text-delta', choice: 0, text },
    { type: 'finish', choice: 0, reason: 'stop' },
    { type: 'response-end', usage },
  ];
}

export interface TextAnswer {
  readonly text: string;
  readonly usage: Usage | null;
}

/** Reads the events to their end. The text is that of the first choice. */
export async function collectText(events: ChatEvents): Promise<TextAnswer> {
  let text = '';
  let usage: Usage | null = null;
  for await (const batch of events) {
    for (const event of batch) {
      if (event.type === 'text-delta' && event.choice === 0) text += event.text;
      else if (event.type === 'response-end') usage = event.usage;
    }
  }
  return { text, usage };
}
