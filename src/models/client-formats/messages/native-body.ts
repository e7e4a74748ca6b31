/** The caller's own writing of a request, as a vendor of the same format may get it. */
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import { isEncodedReasoning } from '../encoded-reasoning.ts';

/** A thought that Anthropic never signed came from another vendor by way of Pailou; Anthropic would refuse it. */
function isForeign(block: Json): boolean {
  if (!isJsonObject(block)) return false;
  if (block['type'] === 'thinking') return typeof block['signature'] !== 'string' || block['signature'] === '';
  return block['type'] === 'redacted_thinking' && isEncodedReasoning(block['data']);
}

function withoutForeign(message: JsonObject): JsonObject {
  const { content } = message;
  if (message['role'] !== 'assistant' || !Array.isArray(content)) return message;
  const blocks = content as readonly Json[];
  return blocks.some(isForeign) ? { ...message, content: blocks.filter((block) => !isForeign(block)) } : message;
}

function isEmpty(message: JsonObject): boolean {
  return Array.isArray(message['content']) && message['content'].length === 0;
}

/** The same object where nothing had to go. Messages of which nothing is left go too. */
export function nativeBody(body: JsonObject): JsonObject {
  const messages = (body['messages'] ?? []) as readonly JsonObject[];
  const own = messages.map(withoutForeign);
  if (own.every((message, index) => message === messages[index])) return body;
  return { ...body, messages: own.filter((message, index) => message === messages[index] || !isEmpty(message)) };
}
