/** JSON Merge Patch (RFC 7386). */
import { isJsonObject, type Json, type JsonObject } from '../types/json.ts';

/** `target` changed by `patch`: null removes a member, an object is merged, anything else replaces. */
export function mergePatch(target: Json | undefined, patch: Json): Json {
  if (!isJsonObject(patch)) return patch;
  const merged = new Map<string, Json>(isJsonObject(target) ? (Object.entries(target) as [string, Json][]) : []);
  for (const [member, value] of Object.entries(patch)) {
    if (value === null) merged.delete(member);
    else if (value !== undefined) merged.set(member, mergePatch(merged.get(member), value));
  }
  return Object.fromEntries(merged) satisfies JsonObject;
}
