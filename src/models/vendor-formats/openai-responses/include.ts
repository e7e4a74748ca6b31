/** The field `include` of a Responses request. It asks for encrypted reasoning, because the vendor stores no response. */
import type { Json, JsonObject } from '../../../types/json.ts';
import type { EncodeTarget } from '../../../types/wire-format.ts';

/** Models that return encrypted reasoning. Other models refuse a request that asks for it. */
const reasons = /(^|\/)(o\d|gpt-[5-9]|codex|grok-(3-mini|4|5|code))/i;

export function includedFor(given: Json | undefined, target: EncodeTarget, ...more: readonly string[]): JsonObject {
  const include = new Set<Json>(Array.isArray(given) ? (given as readonly Json[]) : []);
  if (reasons.test(target.model)) include.add('reasoning.encrypted_content');
  for (const each of more) include.add(each);
  return include.size === 0 ? {} : { include: [...include] };
}
