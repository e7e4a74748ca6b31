/** Keeps text before tool calls out of an answer that must be JSON. */
import type { ChatBody, ChatEvent } from '../../types/chat.ts';
import { isJsonObject } from '../../types/json.ts';
import type { Round } from './read-round.ts';

export function wantsJson({ response_format: format }: ChatBody): boolean {
  return isJsonObject(format) && (format['type'] === 'json_object' || format['type'] === 'json_schema');
}

/** Holds back text that is not JSON until the round ends. If calls follow, the text stays in the conversation and is not emitted. */
export async function* onlyJson(round: AsyncGenerator<readonly ChatEvent[], Round, void>): AsyncGenerator<readonly ChatEvent[], Round> {
  const held: ChatEvent[] = [];
  let words = '';
  let isJson = false;
  try {
    for (;;) {
      const { done, value } = await round.next();
      if (done === true) {
        if (held.length > 0 && value.calls.length === 0) yield held;
        return value;
      }
      const passed: ChatEvent[] = [];
      for (const event of value) {
        // A citation belongs to the text before it.
        const isOfWords = event.type === 'text-delta' || (event.type === 'annotation' && held.length > 0);
        if (isJson || !isOfWords) {
          passed.push(event);
          continue;
        }
        held.push(event);
        if (event.type === 'text-delta') words += event.text;
        isJson = /^\s*[[{]/.test(words);
        if (isJson) passed.push(...held.splice(0));
      }
      if (passed.length > 0) yield passed;
    }
  } finally {
    // The reader left early, so the model's answer is cancelled.
    await round.return(undefined as never);
  }
}
