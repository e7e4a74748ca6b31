/** A conversation as the input of a skill. */
import type { ChatBody } from '../../types/chat.ts';
import { GatewayError } from '../../types/errors.ts';
import { isJsonObject, type Json } from '../../types/json.ts';

/** The last user message: a JSON object as it is, any other text as `{ "text": … }`. */
export function skillInput(body: ChatBody): Json {
  const last = body.messages.findLast((message) => message['role'] === 'user');
  if (last === undefined)
    throw new GatewayError('invalid_request', 'A skill takes its input from the last message with role "user"; add one.', {
      param: 'messages',
    });
  const text = messageText(last['content']);
  if (text.trimStart().startsWith('{')) {
    try {
      const parsed = JSON.parse(text) as Json;
      if (isJsonObject(parsed)) return parsed;
    } catch {
      // Not JSON after all: it is plain text that begins with a brace.
    }
  }
  return { text };
}

function messageText(content: Json | undefined): string {
  if (typeof content === 'string') return content;
  if (!Array.isArray(content)) return '';
  return content
    .map((part: Json) => {
      if (!isJsonObject(part)) return '';
      if (part['type'] !== 'text') {
        throw new GatewayError(
          'unsupported_parameter',
          `A skill takes text only so far; a message part of type ${JSON.stringify(part['type'])} cannot be passed on.`,
          { param: 'messages' },
        );
      }
      return typeof part['text'] === 'string' ? part['text'] : '';
    })
    .join('');
}
