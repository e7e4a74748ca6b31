/** Collects an answer for retention: the text and the tool calls. */
import type { ChatEvent } from '../../types/chat.ts';
import type { Json, JsonObject } from '../../types/json.ts';

/** Adds events of the first choice. `answer` is a text, or an object when there are tool calls. */
export function retainedAnswer(): { add(batch: readonly ChatEvent[]): void; answer(): Json } {
  let text = '';
  const calls = new Map<number, { readonly name: string; arguments: string }>();
  return {
    add(batch) {
      for (const event of batch) {
        if (!('choice' in event) || event.choice !== 0) continue;
        if (event.type === 'text-delta' || event.type === 'refusal-delta') text += event.text;
        else if (event.type === 'tool-call-start') calls.set(event.call, { name: event.name, arguments: '' });
        else if (event.type === 'tool-call-delta') {
          const call = calls.get(event.call);
          if (call !== undefined) call.arguments += event.arguments;
        }
      }
    },
    answer: () => (calls.size === 0 ? text : { text, tool_calls: [...calls.values()] satisfies JsonObject[] }),
  };
}
