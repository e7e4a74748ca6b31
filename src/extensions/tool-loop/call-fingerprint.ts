/** Recognises calls of a conversation when a client sends them back. */
import { isJsonObject, type Json, type JsonObject } from '../../types/json.ts';

function sorted(value: Json | undefined): Json {
  if (Array.isArray(value)) return value.map((each: Json) => sorted(each));
  if (!isJsonObject(value)) return value ?? null;
  return Object.entries(value)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
    .map(([key, inner]) => [key, sorted(inner)]);
}

/** Client libraries re-serialise arguments, so white space and member order are ignored. */
function comparable(given: unknown): Json {
  if (typeof given !== 'string' || given === '') return [];
  try {
    return sorted(JSON.parse(given) as Json);
  } catch {
    return given;
  }
}

/** A digest of ids, names and arguments. An id alone is not enough: vendors reuse ids across conversations. */
export function fingerprintOf(calls: readonly JsonObject[]): string {
  return JSON.stringify(
    calls.map((call) => {
      const body = isJsonObject(call['function']) ? call['function'] : isJsonObject(call['custom']) ? call['custom'] : {};
      return [call['id'] ?? null, body['name'] ?? null, comparable(body['arguments'] ?? body['input'])];
    }),
  );
}
