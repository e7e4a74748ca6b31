/** The arguments of a tool call, as a model wrote them. */
import { repairJson } from '../schema/lenient-json.ts';
import { isJsonObject, type Json, type JsonObject } from '../types/json.ts';

/** The parsed JSON, with common mistakes repaired; undefined for a text that is not JSON. */
export function parseLenient(text: string): Json | undefined {
  for (const attempt of [text, repairJson(text)]) {
    try {
      return JSON.parse(attempt) as Json;
    } catch {
      // The repaired text is tried next.
    }
  }
  return undefined;
}

/** The arguments as an object; an empty one for anything else. */
export function parseArguments(text: string): JsonObject {
  const parsed = parseLenient(text);
  return isJsonObject(parsed) ? parsed : {};
}
