/** Adapts the messages of a request to a vendor's dialect. */
import { isJsonObject, type Json, type JsonObject } from '../../types/json.ts';
import type { Dialect } from './dialect.ts';

function joined(content: Json | undefined): Json | undefined {
  if (!Array.isArray(content)) return content;
  const parts = content as readonly Json[];
  // A list with a picture cannot be joined. Vendors that accept pictures accept lists.
  if (!parts.every((part) => isJsonObject(part) && part['type'] === 'text' && typeof part['text'] === 'string')) return content;
  return parts.map((part) => (part as { readonly text: string }).text).join('\n');
}

/** The message with its thoughts as `reasoning_details`, where it has them as text alone. */
function withDetails(message: JsonObject, format: string): JsonObject {
  const thought = message['reasoning_content'];
  if (typeof thought !== 'string' || thought === '' || message['reasoning_details'] !== undefined) return message;
  return { ...message, reasoning_details: [{ type: 'reasoning.text', id: 'reasoning-text-1', format, index: 0, text: thought }] };
}

/** The messages in the vendor's dialect; the same list when nothing changes. */
export function adjustMessages(messages: Json | undefined, dialect: Dialect): Json | undefined {
  if (!Array.isArray(messages)) return messages;
  const { developerAsSystem, joinsText = [], detailsFormat } = dialect;
  if (developerAsSystem !== true && joinsText.length === 0 && detailsFormat === undefined) return messages;
  return (messages as readonly Json[]).map((given) => {
    if (!isJsonObject(given)) return given;
    const message = detailsFormat === undefined ? given : withDetails(given, detailsFormat);
    const role = message['role'] === 'developer' && developerAsSystem === true ? 'system' : message['role'];
    const content = typeof role === 'string' && joinsText.includes(role) ? joined(message['content']) : message['content'];
    return role === message['role'] && content === message['content'] ? message : { ...message, role, content };
  });
}
