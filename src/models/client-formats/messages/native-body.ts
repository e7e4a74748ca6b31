/** The caller's request in its original form, for vendors of the same format. */
import { isJsonObject, type Json, type JsonObject } from '../../../types/json.ts';
import { isEncodedReasoning } from '../encoded-reasoning.ts';

/** Reasoning without Anthropic's signature came from another vendor through Pailou. Anthropic would refuse it. */
function isForeign(block: Json): boolean {
  if (!isJsonObject(block)) return false;
  if (block['type'] === 'thinking') return typeof block['signature'] !== 'string' || block['signature'] === '';
  return block['type'] === 'redacted_thinking' && isEncodedReasoning(block['data']);
}

/** A citation without Anthropic's encrypted index came from another vendor through Pailou. Anthropic would refuse it. */
function isForeignCitation(citation: Json): boolean {
  return isJsonObject(citation) && citation['type'] === 'web_search_result_location' && citation['encrypted_index'] === '';
}

function hasForeignCitations(block: Json): block is JsonObject & { readonly citations: readonly Json[] } {
  return isJsonObject(block) && Array.isArray(block['citations']) && (block['citations'] as readonly Json[]).some(isForeignCitation);
}

function withoutForeignCitations(block: Json): Json {
  if (!hasForeignCitations(block)) return block;
  const { citations, ...rest } = block;
  const own = citations.filter((citation) => !isForeignCitation(citation));
  return own.length === 0 ? rest : { ...rest, citations: own };
}

function withoutForeign(message: JsonObject): JsonObject {
  const { content } = message;
  if (message['role'] !== 'assistant' || !Array.isArray(content)) return message;
  const blocks = content as readonly Json[];
  if (!blocks.some((block) => isForeign(block) || hasForeignCitations(block))) return message;
  return { ...message, content: blocks.filter((block) => !isForeign(block)).map(withoutForeignCitations) };
}

function isEmpty(message: JsonObject): boolean {
  return Array.isArray(message['content']) && message['content'].length === 0;
}

/** The same object when nothing is removed. Messages that become empty are removed too. */
export function nativeBody(body: JsonObject): JsonObject {
  const messages = (body['messages'] ?? []) as readonly JsonObject[];
  const own = messages.map(withoutForeign);
  if (own.every((message, index) => message === messages[index])) return body;
  return { ...body, messages: own.filter((message, index) => message === messages[index] || !isEmpty(message)) };
}
