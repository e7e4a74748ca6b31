/** Converts Anthropic's web citations to OpenAI's. Citations of documents have no address and stay in the vendor's format. */
import type { JsonObject } from '../../../types/json.ts';

/** `start` and `end`: positions in the whole text of the answer. */
export function urlCitation(citation: JsonObject, start: number, end: number): JsonObject | undefined {
  const url = citation['url'] ?? citation['source'];
  if (typeof url !== 'string' || !/^https?:\/\//.test(url)) return undefined;
  const { title } = citation;
  const named = typeof title === 'string' && title !== '' ? title : url;
  return { type: 'url_citation', url_citation: { start_index: start, end_index: end, url, title: named } };
}
