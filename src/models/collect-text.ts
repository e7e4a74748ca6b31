/** A whole answer as text: what a skill's result and a plain caller need of the event stream. */
import type { ChatEvents, Usage } from '../types/chat.ts';

/** Reads the events to their end. The text is that of the first choice. */
export async function collectText(events: ChatEvents): Promise<{ text: string; usage: Usage | null }> {
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
