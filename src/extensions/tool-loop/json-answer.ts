/** Where the caller wants JSON, words that a model says before it calls tools are no part of the answer. */
import type { ChatBody, ChatEvent } from '../../types/chat.ts';
import { isJsonObject } from '../../types/json.ts';
import type { Round } from './read-round.ts';

export function wantsJson({ response_format: format }: ChatBody): boolean {
  return isJsonObject(format) && (format['type'] === 'json_object' || format['type'] === 'json_schema');
}

/** Holds back what does not begin as JSON until it is known whether calls follow; then it stays in the conversation alone. */
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
        // A citation is of the words before it.
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
    // Left in the middle: the model's answer is left too.
    await round.return(undefined as never);
  }
}
