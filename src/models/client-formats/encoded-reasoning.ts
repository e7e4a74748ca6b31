/**
 * Thoughts that only their vendor can read, carried through clients that know another format: as the data of Anthropic's
 * `redacted_thinking` or OpenAI's `encrypted_content`, which a client hands back unread. So they survive a round trip on any node,
 * without being remembered.
 */
import { isJsonObject, type JsonObject } from '../../types/json.ts';

const mark = 'pailou.';

/** One entry of `reasoning_details`, or an object that holds several, as opaque text. */
export function encodeReasoning(detail: JsonObject): string {
  return mark + Buffer.from(JSON.stringify(detail)).toString('base64url');
}

/** True for text that `encodeReasoning` wrote, which means nothing to any vendor. */
export function isEncodedReasoning(data: unknown): boolean {
  return typeof data === 'string' && data.startsWith(mark);
}

/** What was packed; undefined if the text is damaged or none of ours. */
export function decodeReasoning(data: string): JsonObject | undefined {
  if (!isEncodedReasoning(data)) return undefined;
  try {
    const detail: unknown = JSON.parse(Buffer.from(data.slice(mark.length), 'base64url').toString('utf8'));
    return isJsonObject(detail) ? detail : undefined;
  } catch {
    return undefined;
  }
}
