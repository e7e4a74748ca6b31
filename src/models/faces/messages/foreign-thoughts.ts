/**
 * Thoughts of vendors that are not Anthropic, carried through Anthropic's clients: as the data of a `redacted_thinking` block,
 * which a client hands back unread. So they survive a round trip on any node, without being remembered.
 */
import { isJsonObject, type JsonObject } from '../../../types/json.ts';

const mark = 'pailou.';

/** One entry of `reasoning_details` as the data of a block. */
export function packThought(detail: JsonObject): string {
  return mark + Buffer.from(JSON.stringify(detail)).toString('base64url');
}

/** True for data that `packThought` wrote, which means nothing to Anthropic. */
export function isPacked(data: unknown): boolean {
  return typeof data === 'string' && data.startsWith(mark);
}

/** The entry in the data of a block; undefined if it is damaged or none of ours. */
export function unpackThought(data: string): JsonObject | undefined {
  if (!isPacked(data)) return undefined;
  try {
    const detail: unknown = JSON.parse(Buffer.from(data.slice(mark.length), 'base64url').toString('utf8'));
    return isJsonObject(detail) ? detail : undefined;
  } catch {
    return undefined;
  }
}
