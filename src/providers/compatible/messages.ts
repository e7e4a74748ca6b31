/** Adapts the messages of a request to a vendor's dialect. */
import { isJsonObject, type Json } from '../../types/json.ts';
import type { Dialect } from './dialect.ts';

function joined(content: Json | undefined): Json | undefined {
  if (!Array.isArray(content)) return content;
  const parts = content as readonly Json[];
  // A list with a picture cannot be joined. Vendors that accept pictures accept lists.
  if (!parts.every((part) => isJsonObject(part) && part['type'] === 'text' && typeof part['text'] === 'string')) return content;
  return parts.map((part) => (part as { readonly text: string }).text).join('\n');
}

/** The messages in the vendor's dialect; the same list when nothing changes. */
export function adjustMessages(messages: Json | undefined, dialect: Dialect): Json | undefined {
  if (!Array.isArray(messages)) return messages;
  const { developerAsSystem, joinsText = [] } = dialect;
  if (developerAsSystem !== true && joinsText.length === 0) return messages;
  return (messages as readonly Json[]).map((message) => {
    if (!isJsonObject(message)) return message;
    const role = message['role'] === 'developer' && developerAsSystem === true ? 'system' : message['role'];
    const content = typeof role === 'string' && joinsText.includes(role) ? joined(message['content']) : message['content'];
    return role === message['role'] && content === message['content'] ? message : { ...message, role, content };
  });
}
