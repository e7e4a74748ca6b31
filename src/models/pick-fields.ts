/** Copies fields between JSON objects of different formats. */
import type { Json, JsonObject } from '../types/json.ts';

/** The given fields that are present. Null counts as absent. */
export function pickFields(from: JsonObject, fields: Iterable<string>): Record<string, Json> {
  const picked: Record<string, Json> = {};
  for (const field of fields) {
    const value = from[field];
    if (value !== undefined && value !== null) picked[field] = value;
  }
  return picked;
}
