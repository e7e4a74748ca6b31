/** `include`: encrypted reasoning is asked for wherever the model has any, because no response is stored at the vendor. */
import type { Json, JsonObject } from '../../../types/json.ts';
import type { EncodeTarget } from '../../../types/wire-format.ts';

/** Models whose reasoning comes encrypted on request; all others refuse the request for it. */
const reasons = /(^|\/)(o\d|gpt-[5-9]|codex|grok-(3-mini|4|5|code))/i;

export function includedFor(given: Json | undefined, target: EncodeTarget, ...more: readonly string[]): JsonObject {
  const include = new Set<Json>(Array.isArray(given) ? (given as readonly Json[]) : []);
  if (reasons.test(target.model)) include.add('reasoning.encrypted_content');
  for (const each of more) include.add(each);
  return include.size === 0 ? {} : { include: [...include] };
}
