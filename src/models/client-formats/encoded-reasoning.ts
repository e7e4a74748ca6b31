/**
 * Encodes a vendor's opaque reasoning for clients of another format: as `data` of Anthropic's `redacted_thinking` or OpenAI's
 * `encrypted_content`. The client returns it unchanged, so it survives a round trip through any node without stored state.
 */
import { isJsonObject, type JsonObject } from '../../types/json.ts';

const mark = 'pailou.';

/** Encodes one entry of `reasoning_details`, or an object with several, as opaque text. */
export function encodeReasoning(detail: JsonObject): string {
  return mark + Buffer.from(JSON.stringify(detail)).toString('base64url');
}

/** True for text written by `encodeReasoning`. No vendor understands it. */
export function isEncodedReasoning(data: unknown): boolean {
  return typeof data === 'string' && data.startsWith(mark);
}

/** The encoded object; undefined when the text is damaged or not written by Pailou. */
export function decodeReasoning(data: string): JsonObject | undefined {
  if (!isEncodedReasoning(data)) return undefined;
  try {
    const detail: unknown = JSON.parse(Buffer.from(data.slice(mark.length), 'base64url').toString('utf8'));
    return isJsonObject(detail) ? detail : undefined;
  } catch {
    return undefined;
  }
}
